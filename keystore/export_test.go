package keystore

// What every store that can be written is held to, for the tests that are not in this package.
var (
	KeepsKeys           = keepsKeys
	RefusesWhatCannotBe = refusesWhatCannotBe
)
