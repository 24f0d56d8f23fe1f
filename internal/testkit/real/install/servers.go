package install

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Server is a program of the distribution's that tests start themselves.
type Server struct {
	// Program is what [Program] finds.
	Program string
	// Package is Debian's.
	Package string
}

// Servers are what `make real` installs beside [Components].
func Servers() []Server {
	return []Server{
		{"openssl", "openssl"},
		{"postgres", "postgresql"},
		{"mariadbd", "mariadb-server"},
		{"slapd", "slapd"},
		{"/usr/lib/postfix/sbin/master", "postfix"},
		{"/usr/lib/dovecot/imap", "dovecot-imapd"},
		{"nginx", "nginx-light"},
		{"redis-server", "redis-server"},
		{"mosquitto", "mosquitto"},
		{"nats-server", "nats-server"},
		{"/usr/lib/rabbitmq/bin/rabbitmq-server", "rabbitmq-server"},
		{"promtool", "prometheus"},
		{"amtool", "prometheus-alertmanager"},
		{"prometheus-blackbox-exporter", "prometheus-blackbox-exporter"},
	}
}

// Program is the path of a server's program. It looks where Debian puts servers,
// which is not in every user's PATH.
func Program(name string) (string, error) {
	if filepath.IsAbs(name) {
		_, err := os.Stat(name)
		return name, err
	}
	// Debian keeps the versions of this one side by side, and no link in PATH.
	if found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name); len(found) > 0 { // the pattern is well-formed
		return found[len(found)-1], nil
	}
	path, err := exec.LookPath(name)
	if err == nil {
		return path, nil
	}
	path = filepath.Join("/usr/sbin", name)
	if _, absent := os.Stat(path); absent != nil {
		return "", err
	}
	return path, nil
}

// ensureServers installs what is missing of servers, with apt-get alone.
func (i *installer) ensureServers(ctx context.Context, servers []Server) (err error) {
	var programs, packages []string
	for _, s := range servers {
		if _, err := Program(s.Program); err != nil {
			programs, packages = append(programs, filepath.Base(s.Program)), append(packages, s.Package)
		}
	}
	if len(packages) == 0 {
		return nil
	}
	lack := "no " + strings.Join(programs, ", ")
	if _, err := exec.LookPath("apt-get"); err != nil || !i.root {
		return fmt.Errorf("%s: install them and run this again, or run it as root on Debian, where it installs %s with apt-get", lack, strings.Join(packages, " "))
	}
	restore, err := i.forbidStarts()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, restore()) }()
	if err := i.aptUpdate(ctx, lack); err != nil {
		return err
	}
	if err := i.aptInstall(ctx, packages); err != nil {
		return err
	}
	for _, s := range servers {
		if _, err := Program(s.Program); err != nil {
			return fmt.Errorf("after apt-get install %s still no %s: %w", strings.Join(packages, " "), s.Program, err)
		}
	}
	return nil
}

// forbidStarts keeps packages from starting what they install, on the ports and
// with the data of the machine (invoke-rc.d(8), /usr/sbin/policy-rc.d). A policy
// that is there already is somebody's decision and stays.
func (i *installer) forbidStarts() (restore func() error, err error) {
	f, err := os.OpenFile(i.policy, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if errors.Is(err, fs.ErrExist) {
		return func() error { return nil }, nil
	}
	if err != nil {
		return nil, err
	}
	_, err = f.WriteString("#!/bin/sh\nexit 101\n") // action forbidden
	return func() error { return os.Remove(i.policy) }, errors.Join(err, f.Close())
}
