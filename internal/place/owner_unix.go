//go:build unix

package place

import (
	"os"
	"path"
	"syscall"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/human"
)

// CheckOwner refuses dir, to which the variable leads, if it is another user's: su without a dash and sudo -E hand on
// the variables of whoever called them. Root makes no file on a way that another user could turn: nothing on it, links
// followed, may be theirs. For others it is enough that they may write there. A dir that no variable led to is not
// looked at.
func CheckOwner(variable, dir string) error {
	value := os.Getenv(variable)
	if value == "" {
		return nil
	}
	at, owner := strangerAt(variable, dir)
	if at == "" {
		return nil
	}
	message := variable + " is " + human.Quote(value) + ", "
	if at != clean(value) {
		message += "and " + human.Quote(at) + " "
	} else {
		message += "which "
	}
	message += "belongs to uid " + human.Itoa(owner, 10)
	hint := cure(variable)
	if euid := os.Geteuid(); euid == 0 {
		message, hint = "this is root, but "+message, "run it as that user, or as root: "+hint
	} else {
		message += ", not to you (uid " + human.Itoa(euid, 10) + ")"
	}
	return &api.Error{Code: api.Forbidden, Message: message, Hint: hint}
}

// cure is the commands after which none of the variables leads to another user's directory: one error a variable would
// be as many rounds.
func cure(failed string) string {
	unset, home := "", ""
	for _, name := range []string{api.EnvSocket, api.EnvConfig, api.EnvCacheDir, envRuntime, envConfig, envCache, envState, envData, envHome} {
		dir := os.Getenv(name)
		if !isAbs(dir) {
			continue
		}
		if name == api.EnvSocket || name == api.EnvConfig {
			dir = parent(dir)
		}
		at, _ := strangerAt(name, clean(dir))
		switch {
		case name != failed && (at == "" || name == api.EnvConfig): // which is only read, mostly
		case name == envHome:
			if home = passwdHome(); home == "" || home == clean(dir) {
				home = "DIR, a directory of your own"
			}
			home = "export HOME=" + home
		default:
			unset += " " + name
		}
	}
	if unset != "" && home != "" {
		return "unset" + unset + "; " + home
	}
	if unset != "" {
		return "unset" + unset
	}
	return home
}

// strangerAt is what keeps dir from having our files because it is another user's, and that user; "" if nothing does.
func strangerAt(variable, dir string) (at string, owner int) {
	if os.Geteuid() == 0 {
		return stranger(dir)
	}
	at, owner = nearest(dir)
	ours := owner == os.Geteuid()
	const writeAndSearch = 3
	switch {
	case ours, owner == 0 && variable != envRuntime: // what root keeps closed is read-only, not somebody else's
		return "", 0
	case syscall.Access(at, writeAndSearch) == nil && (owner == 0 || variable != envRuntime): // who owns it could listen there
		return "", 0
	}
	return at, owner
}

// nearest is dir, or the directory on the way to it beyond which we cannot see, and its owner.
func nearest(dir string) (at string, owner int) {
	for at = dir; ; at = parent(at) {
		if info, err := os.Stat(at); err == nil || at == "/" {
			return at, uidOf(info)
		}
	}
}

// maxLinks is how many links the system follows in a path.
const maxLinks = 40

// stranger is the first directory or link on the way to dir that belongs neither to root nor to us, and its owner; ""
// if none does. What is not there yet is ours to make. Where one user only is mapped, as in some sandboxes, root and
// all others look alike: the owner of / counts as root.
func stranger(dir string) (at string, owner int) {
	info, _ := os.Lstat("/")
	root, links := uidOf(info), 0
	for rest := []byte(dir); len(rest) > 0; {
		var name []byte
		name, rest = cut(rest, '/')
		next := path.Join("/", at, string(name)) // at has no links in it, so that .. is what it seems
		info, err := os.Lstat(next)
		if err != nil {
			return "", 0
		}
		if uid := uidOf(info); uid != 0 && uid != os.Geteuid() && uid != root {
			return next, uid
		}
		if info.Mode()&os.ModeSymlink == 0 {
			at = next
			continue
		}
		target, err := os.Readlink(next)
		if links++; err != nil || links > maxLinks {
			return "", 0
		}
		if isAbs(target) {
			at = "/"
		}
		rest = append([]byte(target+"/"), rest...)
	}
	return "", 0
}

// uidOf is the owner of a file; root's where info is nil.
func uidOf(info os.FileInfo) int {
	if info == nil {
		return 0
	}
	return int(info.Sys().(*syscall.Stat_t).Uid)
}
