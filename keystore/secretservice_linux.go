package keystore

import (
	"errors"

	"github.com/godbus/dbus/v5"
	keyring "github.com/zalando/go-keyring"
)

// The Secret Service API, a draft of freedesktop.org that GNOME Keyring, KWallet and KeePassXC implement.
const (
	secretsName   = "org.freedesktop.secrets"
	secretsPath   = dbus.ObjectPath("/org/freedesktop/secrets")
	loginPath     = secretsPath + "/collection/login"
	serviceAPI    = "org.freedesktop.Secret.Service."
	collectionAPI = "org.freedesktop.Secret.Collection."
	itemAPI       = "org.freedesktop.Secret.Item."
	promptAPI     = "org.freedesktop.Secret.Prompt."
	noObject      = dbus.ObjectPath("/") // how the API says "none"
)

// secretService is the session bus's keychain.
type secretService struct {
	conn    *dbus.Conn
	service dbus.BusObject
}

// prepare makes sure that go-keyring, which would raise a prompt for a locked keyring, finds none locked. It
// raises that prompt itself if r allows it, after calling waiting.
func (r request) prepare(waiting func()) error {
	s, err := dialSecretService()
	if err != nil {
		return err
	}
	defer s.conn.Close()
	collection, err := s.collection()
	if err != nil {
		return err
	}
	if collection == noObject {
		return r.prepareNew(s, waiting)
	}
	locked, err := s.locked(collection, collectionAPI)
	if err != nil {
		return err
	}
	if locked {
		return r.unlock(s, collection, waiting)
	}
	return r.prepareItem(s, collection, waiting)
}

// prepareNew is prepare for a fresh keychain, which has no keyring to look into or store to.
func (r request) prepareNew(s *secretService, waiting func()) error {
	switch {
	case r.Op == opGet || r.Op == opDelete:
		return keyring.ErrNotFound
	case r.Op == opProbe || !r.Interactive:
		return errNew
	}
	waiting()
	return s.create()
}

// prepareItem is prepare for the item itself: KeePassXC locks them one by one.
func (r request) prepareItem(s *secretService, collection dbus.ObjectPath, waiting func()) error {
	if r.Name == "" {
		return nil
	}
	item, err := s.find(collection, r.Name)
	if err != nil || item == noObject {
		return err
	}
	locked, err := s.locked(item, itemAPI)
	if err != nil || !locked {
		return err
	}
	return r.unlock(s, item, waiting)
}

func (r request) unlock(s *secretService, object dbus.ObjectPath, waiting func()) error {
	if r.Op == opProbe || !r.Interactive {
		return errLocked
	}
	waiting()
	return s.unlock(object)
}

// dialSecretService connects to the session bus and starts its keychain if it is not running. It never starts a bus.
func dialSecretService() (*secretService, error) {
	conn, err := dbus.SessionBusPrivateNoAutoStartup()
	if err == nil {
		if err = conn.Auth(nil); err == nil {
			err = conn.Hello()
		}
		if err != nil {
			conn.Close()
		}
	}
	if err != nil {
		return nil, &absentError{"there is no keychain here: no D-Bus session bus (" + err.Error() + ")",
			"log in with a desktop session, or " + fileCure}
	}
	if err := startProvider(conn); err != nil {
		conn.Close()
		return nil, &absentError{"there is no keychain here: no program offers one on the session bus (" + err.Error() + ")",
			"install gnome-keyring, KWallet or KeePassXC, or " + fileCure}
	}
	return &secretService{conn, conn.Object(secretsName, secretsPath)}, nil
}

// startProvider makes sure that a program offers the Secret Service. The owner is asked for first: a bus cannot
// start what no file describes (KeePassXC), and says so even while it runs.
func startProvider(conn *dbus.Conn) error {
	var running bool
	err := conn.BusObject().Call("org.freedesktop.DBus.NameHasOwner", 0, secretsName).Store(&running)
	if err != nil || running {
		return err
	}
	const noFlags = uint32(0)
	return conn.BusObject().Call("org.freedesktop.DBus.StartServiceByName", 0, secretsName, noFlags).Err
}

// collection is the keyring that go-keyring uses: "login", else the default one, else none.
func (s *secretService) collection() (dbus.ObjectPath, error) {
	var all []dbus.ObjectPath
	if err := s.service.StoreProperty(serviceAPI+"Collections", &all); err != nil {
		return "", err
	}
	for _, path := range all {
		if path == loginPath {
			return path, nil
		}
	}
	path := noObject
	err := s.service.Call(serviceAPI+"ReadAlias", 0, "default").Store(&path)
	return path, err
}

// find is the item of that key in collection, or none.
func (s *secretService) find(collection dbus.ObjectPath, name string) (dbus.ObjectPath, error) {
	var items []dbus.ObjectPath
	attributes := map[string]string{"service": keychainService, "username": name} // as go-keyring's
	err := s.conn.Object(secretsName, collection).Call(collectionAPI+"SearchItems", 0, attributes).Store(&items)
	if err != nil || len(items) == 0 {
		return noObject, err
	}
	return items[0], nil
}

// locked asks a collection or an item, by the interface that it has.
func (s *secretService) locked(path dbus.ObjectPath, iface string) (locked bool, err error) {
	err = s.conn.Object(secretsName, path).StoreProperty(iface+"Locked", &locked)
	return locked, err
}

func (s *secretService) unlock(object dbus.ObjectPath) error {
	var unlocked []dbus.ObjectPath
	var prompt dbus.ObjectPath
	if err := s.service.Call(serviceAPI+"Unlock", 0, []dbus.ObjectPath{object}).Store(&unlocked, &prompt); err != nil {
		return err
	}
	return s.prompt(prompt)
}

// create makes the default keyring. The prompt asks for the password it will have.
func (s *secretService) create() error {
	properties := map[string]dbus.Variant{collectionAPI + "Label": dbus.MakeVariant("Default keyring")}
	var collection, prompt dbus.ObjectPath
	if err := s.service.Call(serviceAPI+"CreateCollection", 0, properties, "default").Store(&collection, &prompt); err != nil {
		return err
	}
	return s.prompt(prompt)
}

// prompt raises a prompt, if there is one to raise, and waits until the person has answered it.
func (s *secretService) prompt(path dbus.ObjectPath) error {
	if path == noObject {
		return nil
	}
	signals := make(chan *dbus.Signal, 8)
	s.conn.Signal(signals)
	if err := s.conn.AddMatchSignal(dbus.WithMatchObjectPath(path)); err != nil {
		return err
	}
	if err := s.conn.Object(secretsName, path).Call(promptAPI+"Prompt", 0, "").Err; err != nil {
		return err
	}
	for signal := range signals {
		if signal.Path != path || signal.Name != promptAPI+"Completed" || len(signal.Body) == 0 {
			continue
		}
		if dismissed, _ := signal.Body[0].(bool); dismissed {
			return errDismissed
		}
		return nil
	}
	return errors.New("the session bus went away")
}

// platformError has nothing to add: prepare told every case apart.
func platformError(err error) error { return err }
