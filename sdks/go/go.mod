module github.com/keystead/keystead/sdks/go

go 1.19
