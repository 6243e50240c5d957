package keyringtest

import (
	"sync/atomic"
	"time"

	"github.com/godbus/dbus/v5"
)

// Person sits before the session's screen and answers the password windows of gnome-keyring.
type Person struct {
	Types atomic.Bool // types Password into each window; otherwise dismisses it

	conn   *dbus.Conn
	raised atomic.Int32
}

const (
	prompterAPI  = "org.gnome.keyring.internal.Prompter"
	prompterPath = "/org/gnome/keyring/Prompter"
)

// Windows counts the windows that were raised in the session's life.
func (p *Person) Windows() int { return int(p.raised.Load()) }

// sitDown takes the place of the desktop's program for such windows.
func (p *Person) sitDown(conn *dbus.Conn) error {
	p.conn = conn
	if err := conn.Export(screen{p}, prompterPath, prompterAPI); err != nil {
		return err
	}
	_, err := conn.RequestName("org.gnome.keyring.SystemPrompter", dbus.NameFlagDoNotQueue)
	return err
}

// screen is what the keyring sees of a Person.
type screen struct{ *Person }

// BeginPrompting is called when a window is to be raised.
func (s screen) BeginPrompting(from dbus.Sender, callback dbus.ObjectPath) *dbus.Error {
	s.raised.Add(1)
	return s.reply(from, callback, "", "")
}

// PerformPrompt is called to show the window.
func (s screen) PerformPrompt(from dbus.Sender, callback dbus.ObjectPath, _ string, _ map[string]dbus.Variant, exchange string) *dbus.Error {
	if !s.Types.Load() {
		return s.reply(from, callback, "no", "")
	}
	sealed, err := seal(exchange, Password)
	if err != nil {
		return dbus.MakeFailedError(err)
	}
	return s.reply(from, callback, "yes", sealed)
}

// StopPrompting is called at the end.
func (s screen) StopPrompting(from dbus.Sender, callback dbus.ObjectPath) *dbus.Error {
	s.conn.Object(string(from), callback).Go(prompterAPI+".Callback.PromptDone", dbus.FlagNoReplyExpected, nil)
	return nil
}

// reply answers the keyring, which listens only once the call from it has returned.
func (s screen) reply(from dbus.Sender, callback dbus.ObjectPath, reply, exchange string) *dbus.Error {
	conn := s.conn
	time.AfterFunc(100*time.Millisecond, func() {
		conn.Object(string(from), callback).Go(prompterAPI+".Callback.PromptReady", dbus.FlagNoReplyExpected, nil,
			reply, map[string]dbus.Variant{}, exchange)
	})
	return nil
}
