package main

import "github.com/spf13/cobra"

func (a *cli) complete(root *cobra.Command) {}
