package keystore_test

import (
	"testing"

	"github.com/tcred/tcred/internal/testworld/keys"
	"github.com/tcred/tcred/keystore"
)

var _ keystore.Store = keys.NewMemory(nil)

func TestTheStoreForTestsKeepsKeysAsRealOnesDo(t *testing.T) {
	keystore.KeepsKeys(t, keys.NewMemory(nil))
}

func TestTheStoreForTestsRefusesWhatRealOnesDo(t *testing.T) {
	keystore.RefusesWhatCannotBe(t, keys.NewMemory(nil))
}

func TestTheStoreForTestsCopiesWhatItIsGiven(t *testing.T) {
	held := map[string]keystore.Key{"work": {ID: "AKID", Secret: "canary"}}
	s := keys.NewMemory(held)
	delete(held, "work")
	if _, err := s.Get(t.Context(), "work"); err != nil {
		t.Error(err)
	}
}
