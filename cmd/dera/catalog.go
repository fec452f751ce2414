package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"dera.example/dera/iam/catalog"
)

// serviceReference is where AWS publishes which actions there are.
// https://docs.aws.amazon.com/service-authorization/latest/reference/service-reference.html
const serviceReference = "https://servicereference.us-east-1.amazonaws.com/v1/service-list.json"

func newCatalogCommand(a *cli) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "catalog",
		Short: "The actions, resource types and condition keys that dera knows",
		Args:  args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			c, err := openCatalogue(a)
			if err != nil {
				return err
			}
			if a.json() {
				return a.printJSON(catalogJSON{c.Version(), len(c.Services()), c.Len()})
			}
			a.printf("%s: %d services, %d actions\n", c.Version(), len(c.Services()), c.Len())
			return nil
		},
	}
	cmd.AddCommand(newCatalogUpdateCommand(a))
	return cmd
}

// catalogJSON is what dera catalog prints with --output json.
type catalogJSON struct {
	Version  string `json:"version"`
	Services int    `json:"services"`
	Actions  int    `json:"actions"`
}

func newCatalogUpdateCommand(a *cli) *cobra.Command {
	var address string
	cmd := &cobra.Command{
		Use:   "update",
		Short: "Read AWS's service reference into the data folder",
		Long: "Read AWS's service reference into the data folder, where it takes the place of the catalogue that dera\n" +
			"carries. Nothing is written unless everything was read. Delete the file to go back.",
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return updateCatalogue(cmd.Context(), a, address) },
	}
	cmd.Flags().StringVar(&address, "url", serviceReference, "address of the list of services")
	return cmd
}

// maxReference bounds one document of the service reference.
const maxReference = 16 << 20

func updateCatalogue(ctx context.Context, a *cli, address string) error {
	list, err := fetch(ctx, address)
	if err != nil {
		return err
	}
	references, err := catalog.ReferenceList(list)
	if err != nil {
		return err
	}
	base, err := url.Parse(address)
	if err != nil {
		return fmt.Errorf("read %s: %w", address, err)
	}
	var services []catalog.Service
	for _, r := range references {
		// The list cannot send dera to another host.
		u, err := base.Parse(r.URL)
		if err != nil || u.Host != base.Host || u.Scheme != base.Scheme {
			return fmt.Errorf("read the reference of %s: %q is another host", r.Service, r.URL)
		}
		data, err := fetch(ctx, u.String())
		if err != nil {
			return err
		}
		s, err := catalog.ReferenceService(data)
		if err != nil {
			return err
		}
		services = append(services, s)
	}
	data, err := catalog.Encode("AWS service reference, read "+a.now().UTC().Format(time.DateOnly), services)
	if err != nil {
		return fmt.Errorf("write catalogue: %w", err)
	}
	c, err := catalog.Decode(data)
	if err != nil {
		return fmt.Errorf("write catalogue: %w", err)
	}
	if err := replaceFile(filepath.Join(a.flags.data, catalogueFile), data); err != nil {
		return fmt.Errorf("write catalogue: %w", err)
	}
	a.printf("%s: %d services, %d actions\n", c.Version(), len(c.Services()), c.Len())
	return nil
}

// replaceFile writes beside and renames, so that there is always a whole file.
func replaceFile(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", data, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func fetch(ctx context.Context, address string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", address, err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("read the service reference: %w", err)
	}
	defer response.Body.Close() // opened for reading: nothing can be lost
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("read %s: %s", address, response.Status)
	}
	data, err := io.ReadAll(io.LimitReader(response.Body, maxReference+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", address, err)
	}
	if len(data) > maxReference {
		return nil, fmt.Errorf("read %s: more than %d bytes", address, maxReference)
	}
	return data, nil
}
