package jaas

import "github.com/holdfast-sec/holdfast"

// Flag says how a login module takes part in its context
// (javax.security.auth.login.AppConfigurationEntry.LoginModuleControlFlag).
type Flag string

// The four flags. Kafka runs one module per context, for which they make no
// difference; by custom it is Required.
const (
	Required   Flag = "required"
	Requisite  Flag = "requisite"
	Sufficient Flag = "sufficient"
	Optional   Flag = "optional"
)

// Option is one key=value of a login module.
type Option struct {
	Key   string
	Value holdfast.Secret
}

// LoginModule is one entry of a JAAS configuration.
type LoginModule struct {
	// Class is the Java class, such as
	// org.apache.kafka.common.security.plain.PlainLoginModule.
	Class string
	Flag  Flag
	// Options are in the order of the text, duplicates included; of those Java
	// uses the last.
	Options []Option
}

// Get returns the value of the option as Java sees it: the last one, where the
// key is there twice.
func (m LoginModule) Get(key string) (holdfast.Secret, bool) {
	for i := len(m.Options) - 1; i >= 0; i-- {
		if m.Options[i].Key == key {
			return m.Options[i].Value, true
		}
	}
	return holdfast.Secret{}, false
}

// Context is a named section of a JAAS file, such as KafkaServer.
type Context struct {
	Name string
	// Modules may be empty; Java treats such a context as absent.
	Modules []LoginModule
}

// File is a JAAS file.
type File struct {
	Contexts []Context
}

// Get returns the context of that name. Kafka looks for KafkaClient in clients,
// and in brokers for <listener>.KafkaServer, then KafkaServer.
func (f File) Get(name string) (Context, bool) {
	for _, c := range f.Contexts {
		if c.Name == name {
			return c, true
		}
	}
	return Context{}, false
}
