package worker

import (
	"steward/activities"
	"steward/internal/cloud"
	"steward/internal/download"
	"steward/internal/evidence"
	"steward/internal/notify"
	"steward/internal/postgres"
)

// activities are the structs whose methods the workflows call, with all that
// they need.
func (o Options) activities() []any {
	var (
		bucket, role = o.Config.Bucket, o.Config.Role
		objects      = cloud.NewObjects(o.Cloud.S3)
		jobs         = cloud.NewJobs(o.Cloud.SageMaker, o.Config.Poll)
		models       = cloud.NewModels(o.Cloud.SageMaker)
		endpoints    = cloud.NewEndpoints(o.Cloud.SageMaker, o.Cloud.Runtime, o.Config.Poll)
		metrics      = cloud.NewMetrics(o.Cloud.CloudWatch)
		packs        = evidence.NewPacks(objects, bucket)
		prices       = cloud.DefaultPrices.With(o.Config.Prices)
	)
	return []any{
		&activities.Data{Objects: objects, Bucket: bucket, Web: o.web(), Databases: o.databases()},
		&activities.Profiling{Jobs: jobs, Objects: objects, Bucket: bucket, Role: role, Prices: prices},
		&activities.Training{Jobs: jobs, Objects: objects, Bucket: bucket, Role: role, Prices: prices},
		&activities.Evaluation{Jobs: jobs, Models: models, Objects: objects, Bucket: bucket, Role: role, Prices: prices},
		&activities.Registry{Packages: cloud.NewPackages(o.Cloud.SageMaker)},
		&activities.Records{Ledger: evidence.NewLedger(objects, bucket), Packs: packs, Keys: o.Keys, Code: o.Version},
		&activities.Deployment{
			Endpoints: endpoints, Models: models, Metrics: metrics, Objects: objects,
			Packs: packs, Keys: o.Keys, Bucket: bucket, Role: role,
		},
		&activities.Monitoring{Objects: objects, Metrics: metrics, Bucket: bucket},
		&activities.People{Notifier: notify.New(o.Log, o.Config.Webhook)},
		&activities.Runs{Temporal: o.Temporal},
	}
}

// web downloads from the hosts that the operator listed.
func (o Options) web() *download.Client {
	var hosts []download.Host
	for _, h := range o.Config.Sources.Hosts {
		hosts = append(hosts, download.Host(h))
	}
	return download.New(hosts, o.Config.Sources.MaxDownload)
}

// databases are those that the operator named.
func (o Options) databases() *postgres.Databases {
	urls := map[string]string{}
	for _, c := range o.Config.Sources.Connections {
		urls[c.Name] = c.URL
	}
	return postgres.New(urls, o.Config.Sources.QueryTimeout)
}
