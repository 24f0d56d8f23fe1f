package install

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
)

// oldestJava is what brokers of Kafka 4 need (KIP-1013).
const oldestJava = 17

// ensureTools finds a JDK and, where asked for, Maven, or installs them.
func (i *installer) ensureTools(ctx context.Context, maven bool) error {
	missing := missingTools(ctx, maven)
	if len(missing) == 0 {
		return nil
	}
	lack := lacking(missing)
	if _, err := exec.LookPath("apt-get"); err != nil || !i.root {
		return fmt.Errorf("%s: put JDK %d or newer and Maven into PATH and run this again, or run it as root on Debian or Ubuntu, where it installs them with apt-get", lack, oldestJava)
	}
	if err := i.aptUpdate(ctx, lack); err != nil {
		return err
	}
	var packages []string
	for _, m := range missing {
		packages = append(packages, m.debian(ctx))
	}
	if err := i.aptInstall(ctx, packages); err != nil {
		return err
	}
	if missing := missingTools(ctx, maven); len(missing) > 0 {
		return fmt.Errorf("after apt-get install %s still %s (is another version first in PATH?)",
			strings.Join(packages, " "), lacking(missing))
	}
	return nil
}

func (i *installer) aptUpdate(ctx context.Context, lack string) error {
	i.say("%s: apt-get update", lack)
	return i.run(ctx, "", "apt-get", "update", "-q")
}

func (i *installer) aptInstall(ctx context.Context, packages []string) error {
	i.say("apt-get install %s", strings.Join(packages, " "))
	return i.run(ctx, "", "apt-get", append([]string{"install", "-y", "-q", "--no-install-recommends"}, packages...)...)
}

// missingTool is something that PATH lacks and how Debian calls its package.
type missingTool struct {
	problem string
	debian  func(context.Context) string
}

func missingTools(ctx context.Context, maven bool) []missingTool {
	var missing []missingTool
	if err := checkJDK(ctx); err != nil {
		missing = append(missing, missingTool{err.Error(), jdkPackage})
	}
	if maven {
		if _, err := exec.LookPath("mvn"); err != nil {
			missing = append(missing, missingTool{"no mvn in PATH", func(context.Context) string { return "maven" }})
		}
	}
	return missing
}

func lacking(missing []missingTool) string {
	var problems []string
	for _, m := range missing {
		problems = append(problems, m.problem)
	}
	return strings.Join(problems, "; ")
}

// checkJDK asks javac, because the oracles compile and a JRE is not enough.
func checkJDK(ctx context.Context) error {
	for _, tool := range []string{"java", "javac"} {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("no %s in PATH", tool)
		}
	}
	out, err := exec.CommandContext(ctx, "javac", "-version").CombinedOutput()
	if err != nil {
		return fmt.Errorf("javac -version: %w", err)
	}
	if major := javaMajor(string(out)); major < oldestJava {
		return fmt.Errorf("javac in PATH is %q, want %d or newer", strings.TrimSpace(string(out)), oldestJava)
	}
	return nil
}

var javaVersion = regexp.MustCompile(`javac (\d+)(?:\.(\d+))?`)

// javaMajor reads "javac 17.0.15" as 17 and the old form "javac 1.8.0_412" as
// 8; 0 means that it found no version.
func javaMajor(out string) int {
	m := javaVersion.FindStringSubmatch(out)
	if m == nil {
		return 0
	}
	if m[1] == "1" {
		m[1] = m[2]
	}
	major, _ := strconv.Atoi(m[1]) // digits only
	return major
}

// jdkPackage is the tested JDK 17 where the distribution still has it, else its
// default one. The package lists must be there.
func jdkPackage(ctx context.Context) string {
	const tested = "openjdk-17-jdk-headless"
	if out, err := exec.CommandContext(ctx, "apt-cache", "policy", tested).Output(); err == nil &&
		strings.Contains(string(out), "Candidate: 1") {
		return tested
	}
	return "default-jdk-headless"
}
