// Package keystead puts Keystead's API keys in front of net/http handlers.
//
// A Client asks whether a request's key may pass; a Guard stands before handlers, asks about each request, and answers
// those that may not pass. It is closed by default: a request that nobody judged does not pass.
package keystead
