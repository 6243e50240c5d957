package keystore

import (
	"errors"

	"github.com/godbus/dbus/v5"
	keyring "github.com/zalando/go-keyring"
)

// Names of the Secret Service API, a draft of freedesktop.org. GNOME Keyring, KWallet and KeePassXC implement it.
const (
	secretsName   = "org.freedesktop.secrets"
	secretsPath   = dbus.ObjectPath("/org/freedesktop/secrets")
	loginPath     = secretsPath + "/collection/login"
	serviceAPI    = "org.freedesktop.Secret.Service."
	collectionAPI = "org.freedesktop.Secret.Collection."
	itemAPI       = "org.freedesktop.Secret.Item."
	promptAPI     = "org.freedesktop.Secret.Prompt."
	noObject      = dbus.ObjectPath("/") // stands for no object in the API
)

// secretService is the keychain on a session bus.
type secretService struct {
	conn    *dbus.Conn
	service dbus.BusObject
}

// prepare makes sure that go-keyring finds nothing locked: it would raise a prompt, even where nobody can answer. If r
// allows a prompt, prepare raises it, and calls waiting before.
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

// prepareNew is prepare for a keychain that has no keyring yet.
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

// prepareItem is prepare for the key's item: in KeePassXC an item can be locked though its collection is open.
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

// unlock raises the prompt that unlocks object, a collection or an item, if r allows a prompt.
func (r request) unlock(s *secretService, object dbus.ObjectPath, waiting func()) error {
	if r.Op == opProbe || !r.Interactive {
		return errLocked
	}
	waiting()
	return s.unlock(object)
}

// dialSecretService connects to the session bus, and starts the keychain if it does not run. It never starts a bus.
func dialSecretService() (*secretService, error) {
	conn, err := dialBus()
	if err != nil {
		return nil, &absentError{"there is no keychain here: no D-Bus session bus (" + err.Error() + ")", busCure(err)}
	}
	if err := startProvider(conn); err != nil {
		conn.Close()
		return nil, &absentError{"there is no keychain here: no program offers one on the session bus (" + err.Error() + ")",
			"install gnome-keyring, KWallet or KeePassXC, or " + fileCure}
	}
	return &secretService{conn, conn.Object(secretsName, secretsPath)}, nil
}

// dialBus connects to the session bus of this user.
func dialBus() (*dbus.Conn, error) {
	if err := pinBus(); err != nil {
		return nil, err
	}
	conn, err := dbus.SessionBusPrivateNoAutoStartup()
	if err != nil {
		return nil, err
	}
	if err = conn.Auth(nil); err == nil {
		err = conn.Hello()
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// startProvider makes sure that a program offers the Secret Service. If one does already, it is not started: for a
// program without a service file, such as KeePassXC, the bus would refuse even while it runs.
func startProvider(conn *dbus.Conn) error {
	var running bool
	err := conn.BusObject().Call("org.freedesktop.DBus.NameHasOwner", 0, secretsName).Store(&running)
	if err != nil || running {
		return err
	}
	const noFlags = uint32(0)
	return conn.BusObject().Call("org.freedesktop.DBus.StartServiceByName", 0, secretsName, noFlags).Err
}

// collection is the keyring that go-keyring uses: "login", else the default one. noObject means there is none.
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

// find is the item of that key in collection, noObject if there is none.
func (s *secretService) find(collection dbus.ObjectPath, name string) (dbus.ObjectPath, error) {
	var items []dbus.ObjectPath
	attributes := map[string]string{"service": keychainService, "username": name} // go-keyring's
	err := s.conn.Object(secretsName, collection).Call(collectionAPI+"SearchItems", 0, attributes).Store(&items)
	if err != nil || len(items) == 0 {
		return noObject, err
	}
	return items[0], nil
}

// locked asks whether an object is locked. iface is the object's interface: collectionAPI or itemAPI.
func (s *secretService) locked(path dbus.ObjectPath, iface string) (locked bool, err error) {
	err = s.conn.Object(secretsName, path).StoreProperty(iface+"Locked", &locked)
	return locked, err
}

// unlock raises the prompt for object and waits for its end.
func (s *secretService) unlock(object dbus.ObjectPath) error {
	var unlocked []dbus.ObjectPath
	var prompt dbus.ObjectPath
	if err := s.service.Call(serviceAPI+"Unlock", 0, []dbus.ObjectPath{object}).Store(&unlocked, &prompt); err != nil {
		return err
	}
	return s.prompt(prompt)
}

// create makes the default keyring. The prompt asks for its new password.
func (s *secretService) create() error {
	properties := map[string]dbus.Variant{collectionAPI + "Label": dbus.MakeVariant("Default keyring")}
	var collection, prompt dbus.ObjectPath
	call := s.service.Call(serviceAPI+"CreateCollection", 0, properties, "default")
	if err := call.Store(&collection, &prompt); err != nil {
		return err
	}
	return s.prompt(prompt)
}

// prompt raises a prompt and waits until the person has answered it. noObject stands for no prompt.
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

// platformError changes nothing: prepare has found out what is wrong.
func platformError(err error) error { return err }
