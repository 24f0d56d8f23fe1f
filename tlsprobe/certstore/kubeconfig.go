package certstore

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/holdfast-sec/holdfast/internal/strictyaml"
)

// kubeconfigObject is what of a kubeconfig is about certificates
// (k8s.io/client-go/tools/clientcmd/api/v1).
type kubeconfigObject struct {
	Clusters *[]struct {
		Name    *string `yaml:"name,literal"`
		Cluster *struct {
			File    *string                 `yaml:"certificate-authority,literal"`
			Data    *string                 `yaml:"certificate-authority-data,literal"`
			Unknown []strictyaml.UnknownKey `yaml:",unknown"`
		} `yaml:"cluster"`
		Unknown []strictyaml.UnknownKey `yaml:",unknown"`
	} `yaml:"clusters"`
	Users *[]struct {
		Name *string `yaml:"name,literal"`
		User *struct {
			File    *string                 `yaml:"client-certificate,literal"`
			Data    *string                 `yaml:"client-certificate-data,literal"`
			Unknown []strictyaml.UnknownKey `yaml:",unknown"`
		} `yaml:"user"`
		Unknown []strictyaml.UnknownKey `yaml:",unknown"`
	} `yaml:"users"`
	Unknown []strictyaml.UnknownKey `yaml:",unknown"`
}

func (r *reader) kubeconfig(at place, doc []byte) []Found {
	var o kubeconfigObject
	if err := decode(doc, &o); err != nil {
		return []Found{r.wrong(at.in(Kubeconfig, "", Listed), err)}
	}
	var all []Found
	// Data comes before a file (clientcmd.Config of client-go).
	add := func(field string, fileField, dataField *string, role Role) {
		switch file, data := of(fileField), of(dataField); {
		case data != "":
			all = append(all, r.encoded(at.in(Kubeconfig, field+"-data", role), data)...)
		case file != "":
			all = append(all, r.referenced(at.in(Kubeconfig, field, role), file)...)
		}
	}
	for _, c := range of(o.Clusters) {
		add("clusters["+of(c.Name)+"].certificate-authority", of(c.Cluster).File, of(c.Cluster).Data, Trusted)
	}
	for _, u := range of(o.Users) {
		add("users["+of(u.Name)+"].client-certificate", of(u.User).File, of(u.User).Data, Key)
	}
	return all
}

// referenced reads a file that a kubeconfig names, relative to its own directory.
func (r *reader) referenced(at place, file string) []Found {
	name := path.Join(path.Dir(at.name), file)
	if path.IsAbs(file) {
		base := strings.TrimSuffix(path.Clean(r.opts.Base), "/") + "/"
		var below bool
		if name, below = strings.CutPrefix(path.Clean(file), base); !below || !path.IsAbs(base) {
			name = ""
		}
	}
	if at.name == "" || r.fsys == nil || name == "" || !fs.ValidPath(name) {
		f := Found{Path: at.path, Format: at.format, Alias: at.alias, Role: at.role, At: r.at}
		f.Notes = []string{fmt.Sprintf("the certificate is in %s, which is not below what is read here", file)}
		return []Found{f}
	}
	data, err := r.loadAny(name)
	if err != nil {
		return []Found{r.wrong(at, fmt.Errorf("%s: %w", name, err))}
	}
	return r.content(at, data)
}

func (r *reader) loadAny(name string) ([]byte, error) {
	// A pipe would keep the reader waiting for its writer.
	info, err := fs.Stat(r.fsys, name)
	if err != nil {
		return nil, bare(err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: it is no file", ErrUnsupported)
	}
	data, err := r.load(name, true)
	return data, bare(err)
}

func encodeJSON(v any) ([]byte, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("%w: an object that is none", ErrUnsupported)
	}
	return data, nil
}
