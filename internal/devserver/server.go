package main

import (
	"fmt"
	"time"

	uiserver "github.com/temporalio/ui-server/v2/server"
	uiconfig "github.com/temporalio/ui-server/v2/server/config"
	uioptions "github.com/temporalio/ui-server/v2/server/server_options"
	"go.temporal.io/server/common/authorization"
	clusters "go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/dynamicconfig"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/membership/static"
	"go.temporal.io/server/common/metrics"
	"go.temporal.io/server/common/primitives"
	"go.temporal.io/server/temporal"
)

// cluster is the name of the one cluster; the id only has to stay the same.
const (
	cluster   = "active"
	clusterID = "5cf1a4c0-0000-4000-8000-000000000001"
)

// newServer puts all four services of a Temporal server into this process.
func newServer(o *options, store *config.SQL) (temporal.Server, error) {
	services, hosts, err := o.services()
	if err != nil {
		return nil, err
	}
	dynamic := dynamicconfig.StaticClient{}
	for key, v := range o.dynamic {
		dynamic[dynamicconfig.MakeKey(key)] = v
	}
	format := map[string]string{"json": "json"}[o.logFormat]
	if format == "" {
		format = "console"
	}
	level := o.logLevel
	if level == "never" {
		level = "fatal"
	}
	logger := log.NewZapLogger(log.BuildZapLogger(log.Config{Stdout: true, Level: level, Format: format}))
	s, err := temporal.NewServer(
		temporal.WithConfig(o.config(store, services)), temporal.ForServices(temporal.DefaultServices),
		temporal.WithStaticHosts(hosts), temporal.WithLogger(logger), temporal.WithDynamicConfigClient(dynamic),
		temporal.WithAuthorizer(authorization.NewNoopAuthorizer()),
		temporal.WithClaimMapper(func(*config.Config) authorization.ClaimMapper { return authorization.NewNoopClaimMapper() }),
	)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	return s, nil
}

// services gives each service its port; only the front end's is for others.
func (o *options) services() (map[string]config.Service, map[primitives.ServiceName]static.Hosts, error) {
	services, hosts := map[string]config.Service{}, map[primitives.ServiceName]static.Hosts{}
	for _, name := range []primitives.ServiceName{primitives.FrontendService, primitives.HistoryService,
		primitives.MatchingService, primitives.WorkerService} {
		var s config.Service
		s.RPC.BindOnIP = o.ip
		if name == primitives.FrontendService {
			s.RPC.GRPCPort, s.RPC.HTTPPort = o.port, o.httpPort
		} else {
			port, err := freePort()
			if err != nil {
				return nil, nil, err
			}
			s.RPC.GRPCPort = port
		}
		services[string(name)] = s
		hosts[name] = static.SingleLocalHost(o.address(s.RPC.GRPCPort))
	}
	return services, hosts, nil
}

func (o *options) config(store *config.SQL, services map[string]config.Service) *config.Config {
	c := &config.Config{Services: services}
	c.Global.Membership.MaxJoinDuration = 30 * time.Second
	c.Global.Membership.BroadcastAddress = o.ip
	if o.metricsPort > 0 {
		c.Global.Metrics = &metrics.Config{Prometheus: &metrics.PrometheusConfig{
			ListenAddress: o.address(o.metricsPort), HandlerPath: "/metrics"}}
	}
	c.Persistence = config.Persistence{
		DefaultStore: "sqlite", VisibilityStore: "sqlite", NumHistoryShards: int32(o.shards),
		DataStores: map[string]config.DataStore{"sqlite": {SQL: store}},
	}
	c.ClusterMetadata = &clusters.Config{
		FailoverVersionIncrement: 10, MasterClusterName: cluster, CurrentClusterName: cluster,
		ClusterInformation: map[string]clusters.ClusterInformation{cluster: {
			Enabled: true, InitialFailoverVersion: 1, ClusterID: clusterID,
			RPCAddress: o.address(o.port), HTTPAddress: o.address(o.httpPort),
		}},
	}
	c.DCRedirectionPolicy.Policy = "noop"
	c.PublicClient.HostPort = o.address(o.port)
	for _, state := range []*string{&c.Archival.History.State, &c.Archival.Visibility.State,
		&c.NamespaceDefaults.Archival.History.State, &c.NamespaceDefaults.Archival.Visibility.State} {
		*state = "disabled"
	}
	return c
}

func newUI(o *options) *uiserver.Server {
	return uiserver.NewServer(uioptions.WithConfigProvider(&uiconfig.Config{
		Host: o.ip, Port: o.uiPort, TemporalGRPCAddress: o.address(o.port), EnableUI: true,
		CORS: uiconfig.CORS{CookieInsecure: true}, HideLogs: true, DisableNewsFetch: true,
		Codec: uiconfig.Codec{Endpoint: o.codec},
	}))
}
