// Package console shows in a browser what the commands show in a terminal, and takes the orders that
// they take: pages made by the server, which work without a script, and a stream that says when to
// fetch one again. It decides nothing and writes nothing itself: what is shown comes from package app,
// and an order goes through Orders, as that of a command does.
//
// Values of this package are safe for use by several goroutines at once.
package console
