package management_test

import (
	"context"
	"testing"
	"time"

	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	managementv1 "github.com/cinchapi/concourse-users/shared/proto/concourse/management/v1"
)

const (
	serving    = healthv1.HealthCheckResponse_SERVING
	notServing = healthv1.HealthCheckResponse_NOT_SERVING
)

func TestHealth(t *testing.T) {
	t.Parallel()
	f := run(t, page{}, nil, -1)
	reporting, cancel := context.WithCancel(t.Context())
	reported := make(chan struct{})
	go func() { defer close(reported); f.Report(reporting) }()
	t.Cleanup(func() { cancel(); <-reported })
	client := healthv1.NewHealthClient(f.raw(t))
	status := func(service string) healthv1.HealthCheckResponse_ServingStatus {
		t.Helper()
		r, err := client.Check(t.Context(), &healthv1.HealthCheckRequest{Service: service})
		if err != nil {
			t.Fatal(err)
		}
		return r.GetStatus()
	}
	services := []string{"", managementv1.Management_ServiceDesc.ServiceName}
	for _, service := range services {
		if s := status(service); s != notServing {
			t.Errorf("before the lease %q is %v", service, s)
		}
	}
	f.table.Heartbeat("store", 0, time.Now())
	for _, service := range services {
		await(t, "it serves with the lease", func() bool { return status(service) == serving })
	}
}

func TestHealthPastTheLease(t *testing.T) {
	t.Parallel()
	f := run(t, page{}, nil, -1)
	reporting, cancel := context.WithCancel(t.Context())
	reported := make(chan struct{})
	go func() { defer close(reported); f.Report(reporting) }()
	t.Cleanup(func() { cancel(); <-reported })
	watch := watchHealth(t, f)
	watch(notServing)
	f.table.Heartbeat("store", 0, time.Now().Add(2*time.Second-time.Hour)) // a lease of two seconds is left
	watch(serving)
	watch(notServing)
}

// A watcher hears of the host's stop, every time, and does not put it off.
func TestHealthAtStop(t *testing.T) {
	t.Parallel()
	for range 10 {
		f := run(t, page{}, nil, -1)
		f.table.Heartbeat("store", 0, time.Now())
		reporting, cancel := context.WithCancel(t.Context())
		reported := make(chan struct{})
		go func() { defer close(reported); f.Report(reporting) }()
		watch := watchHealth(t, f)
		for watch(serving, notServing) != serving {
		}
		f.stopped(t)
		watch(notServing)
		cancel()
		<-reported
	}
}

// watchHealth returns a function that returns the next status, which must be
// one of those.
func watchHealth(t *testing.T, f *fixture) func(...healthv1.HealthCheckResponse_ServingStatus) healthv1.HealthCheckResponse_ServingStatus {
	t.Helper()
	stream, err := healthv1.NewHealthClient(f.raw(t)).Watch(t.Context(), &healthv1.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	return func(want ...healthv1.HealthCheckResponse_ServingStatus) healthv1.HealthCheckResponse_ServingStatus {
		t.Helper()
		r, err := stream.Recv()
		if err != nil {
			t.Fatalf("the watch ended with %v, without %v", err, want)
		}
		for _, w := range want {
			if r.GetStatus() == w {
				return w
			}
		}
		t.Fatalf("the status is %v, want %v", r.GetStatus(), want)
		return 0
	}
}
