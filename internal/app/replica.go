package app

import (
	"context"
	"os"

	"jedel/internal/blob"
	"jedel/internal/config"
	"jedel/internal/ident"
	"jedel/internal/replica"

	"github.com/prometheus/client_golang/prometheus"
)

// OpenBucket prepares the way to the bucket of second copies.
func OpenBucket(c config.Replica) (*blob.Bucket, error) {
	b := blob.BucketConfig{Endpoint: c.Endpoint, TLS: c.TLS, CAFile: c.CAFile, Region: c.Region, Bucket: c.Bucket, Prefix: c.Prefix}
	var err error
	if b.AccessKey, err = blob.ReadSecret(c.AccessKey); err != nil {
		return nil, err
	}
	if b.SecretKey, err = blob.ReadSecret(c.SecretKey); err != nil {
		return nil, err
	}
	return blob.NewBucket(b)
}

func (a *App) newReplica(where archives, reg prometheus.Registerer) (*replica.Replica, error) {
	bucket, err := OpenBucket(a.cfg.Replica)
	if err != nil {
		return nil, err
	}
	return replica.New(replica.Config{First: a.cfg.Replica.First, Alarm: a.cfg.Replica.Alarm}, replica.Parts{
		Archives: os.DirFS(a.cfg.Recorder.Dir), Bucket: bucket, Want: a.wanted, Log: a.log, Reg: reg,
		Folders: func(ctx context.Context, id ident.CallID) ([]string, error) {
			dirs, _, err := where.Folders(ctx, id)
			return dirs, err
		},
	}), nil
}

// wanted is how the copies of a call are to be protected by what is decided of its keeping.
func (a *App) wanted(ctx context.Context, id ident.CallID) (blob.Lock, error) {
	s, err := a.keeper.State(ctx, id)
	return blob.Lock{Until: s.Until, Hold: s.Held()}, err
}

// runReplica copies recordings where a bucket is configured.
func (a *App) runReplica(ctx context.Context) {
	if a.replica != nil {
		a.replica.Run(ctx)
	}
}
