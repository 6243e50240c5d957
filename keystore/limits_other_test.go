//go:build !linux

package keystore

func limitedChild(string) int { return 1 }
