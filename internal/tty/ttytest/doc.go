// Package ttytest makes pseudo-terminals for tests, on Linux.
package ttytest
