package triage

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

const (
	// bytesMax bounds a file; ours has some 100 KiB.
	bytesMax = 4 << 20
	// depthMax bounds how deep a file nests; the form needs 14.
	depthMax = 20
)

// document reads data as one YAML document of maps, lists and plain values, nothing cleverer: an
// alias can make a small file very large, and nobody sees what a tag does to a value.
func document(data []byte) (*yaml.Node, Faults) {
	var faults Faults
	if faults = fits(data); len(faults) > 0 {
		return nil, faults
	}
	root, more, err := decode(data)
	switch {
	case err != nil:
		line, text := syntax(err)
		faults.add(line, "", "this is not YAML: %s", text)
	case root == nil:
		faults.add(1, "", "the file is empty")
	case more != nil:
		faults.add(more.Line, "", "a second document starts here; a tree is one")
	default:
		plain(&faults, root, 0)
	}
	return root, faults
}

func fits(data []byte) Faults {
	var faults Faults
	if len(data) > bytesMax {
		faults.add(1, "", "the file is larger than %d MiB", bytesMax>>20)
	}
	if !utf8.Valid(data) {
		at := 0
		for at < len(data) {
			r, size := utf8.DecodeRune(data[at:])
			if r == utf8.RuneError && size == 1 {
				break
			}
			at += size
		}
		faults.add(1+bytes.Count(data[:at], []byte("\n")), "", "the file is not UTF-8 text")
	}
	return faults
}

// decode is the content of the first document and the start of a second one. The library panics on
// some files with comments in odd places, which must not stop the program.
func decode(data []byte) (root, more *yaml.Node, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			root, more, err = nil, nil, fmt.Errorf("yaml: %v", cause)
		}
	}()
	documents := yaml.NewDecoder(bytes.NewReader(data))
	first, second := yaml.Node{}, yaml.Node{}
	if err := documents.Decode(&first); err != nil {
		return nil, nil, unlessEnd(err)
	}
	if err := documents.Decode(&second); err != nil {
		return first.Content[0], nil, unlessEnd(err)
	}
	return first.Content[0], &second, nil
}

// unlessEnd drops io.EOF, which is all that is not the library's own.
func unlessEnd(err error) error {
	if !strings.HasPrefix(err.Error(), "yaml: ") {
		return nil
	}
	return err
}

// syntax takes the line out of the library's sentence; it leaves out the first.
func syntax(err error) (int, string) {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	rest, found := strings.CutPrefix(text, "line ")
	if number, sentence, ok := strings.Cut(rest, ": "); found && ok {
		if line, err := strconv.Atoi(number); err == nil {
			return line, sentence
		}
	}
	return 1, text
}

// plain refuses what a list of keys and texts has no need of.
func plain(faults *Faults, n *yaml.Node, depth int) {
	switch {
	case depth > depthMax:
		faults.add(n.Line, "", "this is nested deeper than %d levels", depthMax)
		return
	case n.Kind == yaml.AliasNode:
		faults.add(n.Line, "", "*%s is an alias; name outcomes under outcomes and components under components instead", n.Value)
		return
	case n.Anchor != "":
		faults.add(n.Line, "", "&%s is an anchor; name outcomes under outcomes and components under components instead", n.Anchor)
	case n.Style&yaml.TaggedStyle != 0:
		faults.add(n.Line, "", "%s is a tag; write the value without", n.Tag)
	}
	for _, child := range n.Content {
		plain(faults, child, depth+1)
	}
}
