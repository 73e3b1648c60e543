package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// What is shipped beside the program names its flags, its variables and its metrics. Nobody runs these files
// where they are written, so these tests hold them to the program.

// shipped are those files by name, without the secrets somebody may have made beside them.
func shipped(t *testing.T) map[string]string {
	t.Helper()
	const root = "../.."
	paths := []string{"compose.yaml", ".dockerignore", "docs/operations.md"}
	entries, err := os.ReadDir(filepath.Join(root, "deploy"))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if entry.Type().IsRegular() {
			paths = append(paths, "deploy/"+entry.Name())
		}
	}
	files := map[string]string{}
	for _, path := range paths {
		content, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			t.Fatal(err)
		}
		files[path] = string(content)
	}
	return files
}

// others are flags of the programs beside it: docker, psql, pg_dump, useradd, systemctl, curl and the like.
func others() []string {
	return []string{
		"--build", "--cacert", "--chown", "--data-checksums", "--dbname", "--encoding", "--env", "--fail", "--file", "--format", "--from",
		"--home-dir", "--host", "--no-psqlrc", "--now", "--output", "--publish", "--quiet", "--read-only", "--rm", "--schema", "--set",
		"--shell", "--silent", "--stop-timeout", "--system", "--time", "--username", "--volume", "--volumes",
	}
}

func TestShipped_NamesFlagsThatThereAre(t *testing.T) {
	t.Parallel()
	known := others()
	walk(model(t), func(_ string, node *kong.Node) {
		for _, flag := range node.Flags {
			known = append(known, "--"+flag.Name)
		}
	})
	flag := regexp.MustCompile(`(^|[\s"'(\x60\[,])(--[a-z][a-z0-9-]*)`)
	for path, content := range shipped(t) {
		for _, found := range flag.FindAllStringSubmatch(content, -1) {
			if !slices.Contains(known, found[2]) {
				t.Errorf("%s names %s, which is no flag of rentbook, and not known as another program's", path, found[2])
			}
		}
	}
}

// TestShipped_CommandsCanBeParsed gives the program the commands that a reader is told to run.
func TestShipped_CommandsCanBeParsed(t *testing.T) {
	t.Parallel()
	commands := map[string]*kong.Node{}
	walk(model(t), func(name string, node *kong.Node) { commands[name] = node })
	called := regexp.MustCompile(`(?:^|[\s\x60/])rentbook1? ((?:token )?[a-z]+)((?: [^\n\x60|;&#<>]*)?)`)
	given := regexp.MustCompile(`--[a-z][a-z0-9-]*`)
	parsed := 0
	for path, content := range shipped(t) {
		for _, call := range called.FindAllStringSubmatch(runnable(path, content), -1) {
			node, known := commands[call[1]]
			if !known {
				t.Errorf("%s runs `rentbook %s`: there is no such command", path, call[1])
				continue
			}
			parsed++
			for _, flag := range given.FindAllString(call[2], -1) {
				if !accepts(node, flag) {
					t.Errorf("%s runs `rentbook %s` with %s, which it does not have", path, call[1], flag)
				}
			}
		}
	}
	if parsed < 15 {
		t.Errorf("only %d commands were found: has the way they are written changed?", parsed)
	}
}

// runnable is what of a file is to be run: code in a page; of the others all but their prose, which is a comment
// that is not indented.
func runnable(path, content string) string {
	content = strings.ReplaceAll(content, "sudo -u rentbook ", "")
	if filepath.Ext(path) != ".md" {
		return regexp.MustCompile(`(?m)^\s*# ?\S.*$`).ReplaceAllString(content, "")
	}
	var code strings.Builder
	for _, part := range regexp.MustCompile("(?s)```.*?```|`[^`\n]+`").FindAllString(content, -1) {
		code.WriteString(strings.Trim(part, "`") + "\n")
	}
	return code.String()
}

func TestShipped_NamesVariablesThatThereAre(t *testing.T) {
	t.Parallel()
	known := []string{"RENTBOOK_MASTER_KEY_VALUE", "RENTBOOK_IMAGE"} // not flags: a secret, and the name of the image
	walk(model(t), func(_ string, node *kong.Node) {
		for _, flag := range node.Flags {
			known = append(known, flag.Envs...)
		}
	})
	for path, content := range shipped(t) {
		for _, name := range regexp.MustCompile(`\bRENTBOOK_[A-Z0-9_]+`).FindAllString(content, -1) {
			if !slices.Contains(known, name) {
				t.Errorf("%s names %s, which nothing reads", path, name)
			}
		}
	}
}

// TestShipped_NamesMetricsThatThereAre goes by the names in the code: some metrics show only in bad times.
func TestShipped_NamesMetricsThatThereAre(t *testing.T) {
	t.Parallel()
	known := []string{"rentbook_views", "rentbook_vault"} // schemas
	named := regexp.MustCompile(`"(rentbook_[a-z_]+)"`)
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		content, err := os.ReadFile(path)
		for _, found := range named.FindAllStringSubmatch(string(content), -1) {
			known = append(known, found[1], found[1]+"_bucket", found[1]+"_count", found[1]+"_sum")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for path, content := range shipped(t) {
		for _, name := range regexp.MustCompile(`\brentbook_[a-z_]+`).FindAllString(content, -1) {
			if !slices.Contains(known, name) {
				t.Errorf("%s names %s, which is no metric", path, name)
			}
		}
	}
}

// TestShipped_ImagesHaveNoRegistry keeps it to whoever runs them where images come from. What stands before the
// first slash is a registry if it looks like a host.
func TestShipped_ImagesHaveNoRegistry(t *testing.T) {
	t.Parallel()
	image := regexp.MustCompile(`(?m)(?:^\s*image:\s*|^FROM\s+|^ARG\s+\w+=|_IMAGE:-)(?:\$\{\w+:-)?([^\s}]+)`)
	images := 0
	for path, content := range shipped(t) {
		for _, found := range image.FindAllStringSubmatch(content, -1) {
			images++
			host, _, below := strings.Cut(found[1], "/")
			if below && (strings.ContainsAny(host, ".:") || host == "localhost") {
				t.Errorf("%s takes image %s from a registry of its own choice", path, found[1])
			}
		}
	}
	if images == 0 {
		t.Error("no image was found: has the way they are written changed?")
	}
}

// TestShipped_PortsStayOnThisMachine: what ends no TLS is published nowhere else.
func TestShipped_PortsStayOnThisMachine(t *testing.T) {
	t.Parallel()
	ports := 0
	for path, content := range shipped(t) {
		if filepath.Ext(path) != ".yaml" {
			continue
		}
		for _, found := range regexp.MustCompile(`(?m)^\s+- "?(\S*\d:\d+)"?( #.*)?$`).FindAllStringSubmatch(content, -1) {
			ports++
			if !strings.HasPrefix(found[1], "127.0.0.1:") {
				t.Errorf("%s publishes %s to everybody", path, found[1])
			}
		}
	}
	if ports == 0 {
		t.Error("no port was found: has the way they are written changed?")
	}
}

// TestShipped_UnitKnowsTheExitCodes keeps systemd from starting again what must not be.
func TestShipped_UnitKnowsTheExitCodes(t *testing.T) {
	t.Parallel()
	want := fmt.Sprintf("\nRestartPreventExitStatus=%d %d\n", exitUsage, exitStorage)
	if !strings.Contains(shipped(t)["deploy/rentbook.service"], want) {
		t.Errorf("the unit lacks the line %q", strings.TrimSpace(want))
	}
}

// model is the command line as run has it.
func model(t *testing.T) *kong.Node {
	t.Helper()
	parser, err := kong.New(&cli{}, kong.Name("rentbook"), kong.DefaultEnvars("RENTBOOK"), kong.Vars{"views": ""})
	if err != nil {
		t.Fatal(err)
	}
	return parser.Model.Node
}

// walk visits the program and each of its commands, by their names without the program's.
func walk(node *kong.Node, visit func(name string, node *kong.Node)) {
	var below func(name string, node *kong.Node)
	below = func(name string, node *kong.Node) {
		visit(name, node)
		for _, child := range node.Children {
			below(strings.TrimSpace(name+" "+child.Name), child)
		}
	}
	below("", node)
}

// accepts says whether a command, or one above it, has a flag.
func accepts(node *kong.Node, flag string) bool {
	for ; node != nil; node = node.Parent {
		if slices.ContainsFunc(node.Flags, func(f *kong.Flag) bool { return "--"+f.Name == flag }) {
			return true
		}
	}
	return false
}
