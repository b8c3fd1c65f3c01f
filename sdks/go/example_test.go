package keystead_test

import (
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"

	"github.com/keystead/keystead/sdks/go"
)

func Example() {
	client, err := keystead.NewClient("http://127.0.0.1:7700", os.Getenv("KEYSTEAD_KEY"), keystead.In("acme", "production"))
	if err != nil {
		log.Print(err)
		return
	}
	guard, err := keystead.NewGuard(client, keystead.TrustedProxies("10.0.0.0/8"))
	if err != nil {
		log.Print(err)
		return
	}
	routes := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		verdict, _ := keystead.FromContext(r.Context())
		fmt.Fprintf(w, "asked by %s\n", verdict.KeyID)
	})
	mux := http.NewServeMux()
	mux.Handle("/v1/routes", guard.Require(keystead.Permission("routes.read"), routes))
	mux.Handle("/v1/networks/", guard.RequireFor(func(r *http.Request) keystead.Need {
		network := strings.Split(strings.TrimPrefix(r.URL.Path, "/v1/networks/"), "/")[0]
		return keystead.Need{Permissions: keystead.Permission("routes.read"), Resource: "networks/" + network}
	}, routes))
	log.Print(http.ListenAndServe("127.0.0.1:8080", mux))
}
