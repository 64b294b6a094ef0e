// The API server of Kubernetes, for tests: https://pkg.go.dev/k8s.io/kubernetes/cmd/kube-apiserver/app at the version of go.mod.
package main

import (
	"os"

	"k8s.io/component-base/cli"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

func main() {
	os.Exit(cli.Run(app.NewAPIServerCommand()))
}
