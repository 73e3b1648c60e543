package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"rentbook/commands"
)

type importCommand struct {
	Paths []string `arg:"" name:"path" type:"path" help:"CSV files, or folders of them."`
}

// Run imports each path in turn.
func (c *importCommand) Run(ctx context.Context, g *globals) error {
	sources, err := importSources(c.Paths, g)
	if err != nil {
		return err
	}
	n, err := g.create(ctx)
	if err != nil {
		return err
	}
	defer n.close() //nolint:errcheck // what counts is durable
	var sum commands.ImportResult
	for _, s := range sources {
		result, err := s.read(ctx, g, n)
		sum.Recorded, sum.Known, sum.Refused = sum.Recorded+result.Recorded, sum.Known+result.Known, sum.Refused+result.Refused
		if err != nil {
			return fmt.Errorf("%w (%d rows had been recorded; run the same import again to go on)", err, sum.Recorded)
		}
	}
	_, _ = fmt.Fprintf(g.stdout, "%d rows recorded, %d known already, %d refused\n", sum.Recorded, sum.Known, sum.Refused)
	if sum.Refused > 0 {
		return errSaid
	}
	return nil
}

// source is a folder and the files to import from it, in order.
type source struct {
	folder string
	names  []string
}

func (s source) read(ctx context.Context, g *globals, n *node) (commands.ImportResult, error) {
	bar := g.progress("import " + filepath.Base(s.folder))
	defer bar.end()
	say := func(prefix string) func(commands.ImportLine) {
		return func(l commands.ImportLine) { _, _ = fmt.Fprintln(g.stderr, prefix+l.String()) }
	}
	return n.commands.Import(ctx, cliMeta(), commands.Import{
		Files: os.DirFS(s.folder), Names: s.names, Refused: say(""), Noted: say("note: "), Progress: bar.step,
	})
}

func importSources(paths []string, g *globals) ([]source, error) {
	var sources []source
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		s := source{folder: filepath.Dir(path), names: []string{filepath.Base(path)}}
		if info.IsDir() {
			if s, err = folderSource(path, g); err != nil {
				return nil, err
			}
		}
		sources = append(sources, s)
	}
	return sources, nil
}

// folderSource takes the files it knows, in their order, and says which it leaves alone.
func folderSource(folder string, g *globals) (source, error) {
	s := source{folder: folder}
	for _, name := range commands.ImportNames() {
		_, err := os.Stat(filepath.Join(folder, name))
		switch {
		case err == nil:
			s.names = append(s.names, name)
		case !errors.Is(err, fs.ErrNotExist):
			return s, err
		}
	}
	if len(s.names) == 0 {
		return s, fmt.Errorf("%s %w", folder, commands.ErrNothingToImport)
	}
	entries, err := os.ReadDir(folder)
	for _, entry := range entries {
		if !slices.Contains(s.names, entry.Name()) {
			_, _ = fmt.Fprintf(g.stderr, "note: %s is left alone\n", filepath.Join(folder, entry.Name()))
		}
	}
	return s, err
}
