// Package operate tells what the operator of a machine lives through with the
// real program: configurations that change under load, restarts, limits that
// are reached, disks that are full, starts that must be refused.
//
// Each story starts the program as an operator would, with sites and visitors
// of its own on loopback, and ends it by process ID. After every story the
// checker looks at the whole: the process is alive, the race detector has
// said nothing, no socket, file or goroutine is left behind, and it stops on
// SIGTERM with exit code 0.
//
// With SEAWALL_PROOF=full the long forms are told, which move gigabytes.
package operate
