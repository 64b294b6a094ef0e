// The store behind the API server, for tests: https://pkg.go.dev/go.etcd.io/etcd/server/v3 at the version of go.mod.
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() {
	etcdmain.Main(os.Args)
}
