package keys

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/tcred/tcred/internal/disk"
)

// betweenTurns keeps calls that do not go through the daemon at 10 a second, as the daemon keeps its own: STS allows 20
// calls of GetCallerIdentity a second.
const betweenTurns = 105 * time.Millisecond

// AwaitTurn waits for this process's turn among all of this user's that ask STS by themselves: the time of a file's
// last change is that of the last turn. The file is in dir, the user's state directory. Where there is no place for the
// file the call goes out at once.
func AwaitTurn(ctx context.Context, dir string) {
	if disk.PrivateDir(dir) != nil {
		return
	}
	lock := disk.NewLock(filepath.Join(dir, "turn.lock"))
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
