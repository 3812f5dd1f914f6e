package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"jedel/cmd/callbot/watch"
)

// gauge reads a gateway's metrics each second until ctx ends.
func gauge(ctx context.Context, url string, talking func() int) []watch.Sample {
	var out []watch.Sample
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		before := talking()
		s, err := scrape(ctx, url)
		if err == nil && talking() == before { // else the number belongs to no moment
			s.Talking = before
			out = append(out, s)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return out
		}
	}
}

// scrape reads the metrics once (Prometheus text exposition format 0.0.4).
func scrape(ctx context.Context, url string) (watch.Sample, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/metrics", nil)
	if err != nil {
		return watch.Sample{}, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return watch.Sample{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return watch.Sample{}, fmt.Errorf("metrics: status %d", resp.StatusCode)
	}
	return parse(resp.Body, time.Now())
}

func parse(in io.Reader, at time.Time) (watch.Sample, error) {
	s := watch.Sample{At: at}
	want := map[string]*float64{
		"process_cpu_seconds_total": &s.CPU, "process_resident_memory_bytes": &s.Resident,
		"jedel_media_packets_received_total": &s.Received, "jedel_media_packets_forwarded_total": &s.Forwarded,
	}
	found := 0
	lines := bufio.NewScanner(io.LimitReader(in, 4<<20))
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), " ")
		to := want[name]
		if to == nil {
			continue
		}
		v, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return s, fmt.Errorf("metrics: %s: %w", name, err)
		}
		*to = v
		found++
	}
	if err := lines.Err(); err != nil {
		return s, err
	}
	if found != len(want) {
		return s, fmt.Errorf("metrics: %d of %d values", found, len(want))
	}
	return s, nil
}
