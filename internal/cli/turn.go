package cli

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/tcred/tcred/internal/disk"
	"github.com/tcred/tcred/internal/place/dirs"
)

// betweenTurns keeps calls that do not go through the daemon at 10 a second, as the daemon keeps its own: STS allows 20
// calls of GetCallerIdentity a second.
const betweenTurns = 105 * time.Millisecond

// awaitTurn waits for this process's turn among all of this user's that ask STS by themselves: the time of a file's last
// change is that of the last turn. Where there is no place for the file the call goes out at once.
func awaitTurn(ctx context.Context, p dirs.Places) {
	if disk.PrivateDir(p.State) != nil {
		return
	}
	lock := disk.NewLock(filepath.Join(p.State, "turn.lock"))
	if held, _ := lock.TryLockContext(ctx, betweenTurns/20); !held {
		return
	}
	defer lock.Unlock() // the process's end lets go of it at the latest
	info, err := lock.Stat()
	if err != nil {
		return
	}
	if left := betweenTurns - time.Since(info.ModTime()); left > 0 && left <= betweenTurns {
		select {
		case <-ctx.Done():
		case <-time.After(left):
		}
	}
	now := time.Now()
	os.Chtimes(lock.Path(), now, now) // if not, the next one goes too early
}
