package monitoring

import "fmt"

type scrapeConfig struct {
	Global  *globalConfig `yaml:"global,omitempty"`
	Rules   []string      `yaml:"rule_files"`
	Scrapes []scrapeJob   `yaml:"scrape_configs"`
}

type globalConfig struct {
	EvaluationInterval string `yaml:"evaluation_interval"`
}

type scrapeJob struct {
	Job            string        `yaml:"job_name"`
	ScrapeInterval string        `yaml:"scrape_interval"`
	ScrapeTimeout  string        `yaml:"scrape_timeout,omitempty"`
	MetricsPath    string        `yaml:"metrics_path,omitempty"`
	Params         params        `yaml:"params,omitempty"`
	HTTPSD         []httpSD      `yaml:"http_sd_configs,omitempty"`
	FileSD         []fileSD      `yaml:"file_sd_configs,omitempty"`
	Static         []staticGroup `yaml:"static_configs,omitempty"`
	Relabel        []relabel     `yaml:"relabel_configs,omitempty"`
}

type params struct {
	Module []string `yaml:"module,omitempty"`
}

type httpSD struct {
	URL string `yaml:"url"`
}

type fileSD struct {
	Files []string `yaml:"files"`
}

type staticGroup struct {
	Targets []string `yaml:"targets"`
}

type relabel struct {
	Source      []string `yaml:"source_labels,omitempty,flow"`
	Target      string   `yaml:"target_label"`
	Replacement string   `yaml:"replacement,omitempty"`
}

// Scrape returns a configuration of Prometheus: for each exporter a job that has
// it probe every target, with the target as instance and the exporter as prober,
// and one job for the metrics of the exporters themselves. Replicas of Prometheus
// may share it.
func Scrape(o Options) ([]byte, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("generate scrape configuration: %w", err)
	}
	config := scrapeConfig{Global: &globalConfig{"30s"}, Rules: []string{"rules.yml"}}
	for i, exporter := range o.Exporters {
		job := scrapeJob{
			Job: o.Job, ScrapeInterval: span(o.Interval), ScrapeTimeout: span(min(o.Interval, 15e9)), MetricsPath: "/probe", Params: params{[]string{o.Module}},
			Relabel: []relabel{
				{Source: []string{"__address__"}, Target: "__param_target"},
				{Source: []string{"__param_target"}, Target: "instance"},
				{Target: "prober", Replacement: exporter},
				{Target: "job", Replacement: o.Job},
				{Target: "__address__", Replacement: exporter},
			},
		}
		if len(o.Exporters) > 1 {
			job.Job = fmt.Sprintf("%s-%d", o.Job, i+1)
		}
		if o.TargetsURL != "" {
			job.HTTPSD = []httpSD{{o.TargetsURL}}
		}
		if len(o.TargetFiles) > 0 {
			job.FileSD = []fileSD{{o.TargetFiles}}
		}
		config.Scrapes = append(config.Scrapes, job)
	}
	config.Scrapes = append(config.Scrapes, scrapeJob{Job: o.Job + "-exporter", ScrapeInterval: span(o.Interval), Static: []staticGroup{{o.Exporters}}})
	return write("Endpoints probed by tlsprobe. A file of targets is a list of\n{targets: [host:port, ...], labels: {...}}.", config)
}
