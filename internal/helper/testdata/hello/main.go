// Command hello prints what the benchmark's daemon answers, and does nothing else: what any Go program costs.
package main

import "os"

func main() { os.Stdout.Write([]byte(os.Args[1])) }
