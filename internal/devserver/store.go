package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"go.temporal.io/server/common/config"
	sqliteplugin "go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	"go.temporal.io/server/common/primitives/timestamp"
	sqliteschema "go.temporal.io/server/schema/sqlite"
)

// retentionHours is how long the histories of ended workflows stay readable.
const retentionHours = 30 * 24

// openStore makes the database, its schema and its namespaces where they are
// missing, and returns how to reach it.
func (o *options) openStore() (*config.SQL, error) {
	store := &config.SQL{
		PluginName: sqliteplugin.PluginName, MaxConns: o.connections, MaxIdleConns: o.connections,
		DatabaseName: o.database, ConnectAttributes: map[string]string{"mode": "rwc"},
	}
	if o.database == "" {
		store.DatabaseName = fmt.Sprintf("devserver-%d", os.Getpid())
		store.ConnectAttributes = map[string]string{"mode": "memory", "cache": "shared"}
	} else if err := makeFile(o.database); err != nil {
		return nil, fmt.Errorf("database %s: %w", o.database, err)
	}
	for name, value := range o.pragmas {
		store.ConnectAttributes[name] = value
	}
	if err := o.makeNamespaces(store); err != nil {
		return nil, fmt.Errorf("database %s: %w", store.DatabaseName, err)
	}
	return store, nil
}

// makeFile makes a database file with its schema unless there is one. It works
// on another name first: a file that exists has its whole schema.
func makeFile(name string) error {
	if _, err := os.Stat(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	draft := name + ".new"
	if err := os.Remove(draft); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	err := sqliteschema.SetupSchema(&config.SQL{
		PluginName: sqliteplugin.PluginName, DatabaseName: draft,
		ConnectAttributes: map[string]string{"mode": "rwc"},
	})
	if err != nil {
		return err
	}
	return os.Rename(draft, name)
}

// makeNamespaces leaves namespaces that exist as they are.
func (o *options) makeNamespaces(store *config.SQL) error {
	var wanted []*sqliteschema.NamespaceConfig
	for _, name := range o.namespaces {
		c, err := sqliteschema.NewNamespaceConfig(cluster, name, false, o.attributes)
		if err != nil {
			return fmt.Errorf("namespace %s: %w", name, err)
		}
		c.Detail.Config.Retention = timestamp.DurationFromHours(retentionHours)
		wanted = append(wanted, c)
	}
	return sqliteschema.CreateNamespaces(store, wanted...)
}
