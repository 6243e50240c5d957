package keyring

import (
	"sync/atomic"
	"time"

	"github.com/godbus/dbus/v5"
)

// Person answers the password windows that gnome-keyring raises in a session.
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

// serve takes the bus name of the desktop's program that shows such windows.
func (p *Person) serve(conn *dbus.Conn) error {
	p.conn = conn
	if err := conn.Export(prompter{p}, prompterPath, prompterAPI); err != nil {
		return err
	}
	_, err := conn.RequestName("org.gnome.keyring.SystemPrompter", dbus.NameFlagDoNotQueue)
	return err
}

// prompter has the methods that the keyring calls over the bus.
type prompter struct{ *Person }

// BeginPrompting is called when a window is to be raised.
func (p prompter) BeginPrompting(from dbus.Sender, callback dbus.ObjectPath) *dbus.Error {
	p.raised.Add(1)
	return p.reply(from, callback, "", "")
}

// PerformPrompt is called to show the window.
func (p prompter) PerformPrompt(
	from dbus.Sender, callback dbus.ObjectPath, _ string, _ map[string]dbus.Variant, exchange string,
) *dbus.Error {
	if !p.Types.Load() {
		return p.reply(from, callback, "no", "")
	}
	sealed, err := seal(exchange, Password)
	if err != nil {
		return dbus.MakeFailedError(err)
	}
	return p.reply(from, callback, "yes", sealed)
}

// StopPrompting is called at the end.
func (p prompter) StopPrompting(from dbus.Sender, callback dbus.ObjectPath) *dbus.Error {
	p.conn.Object(string(from), callback).Go(prompterAPI+".Callback.PromptDone", dbus.FlagNoReplyExpected, nil)
	return nil
}

// reply answers the keyring a little later: it listens only after its own call has returned.
func (p prompter) reply(from dbus.Sender, callback dbus.ObjectPath, reply, exchange string) *dbus.Error {
	conn := p.conn
	time.AfterFunc(100*time.Millisecond, func() {
		conn.Object(string(from), callback).Go(prompterAPI+".Callback.PromptReady", dbus.FlagNoReplyExpected, nil,
			reply, map[string]dbus.Variant{}, exchange)
	})
	return nil
}
