package http

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestProblems_lists_every_refusal: whatever code a refusal anywhere in the program has, the
// documentation says what it means and with which status it comes.
func TestProblems_lists_every_refusal(t *testing.T) {
	t.Parallel()
	listed := map[string]int{}
	for _, p := range problems() {
		if p.Text == "" {
			t.Errorf("%s says nothing", p.Code)
		}
		listed[p.Code] = p.Status
	}
	found := map[string]string{} // class by code
	for _, root := range []string{"domain", "commands", "eventstore", "projections", "integrations/photos"} {
		refusalsBelow(t, filepath.Join("..", root), found)
	}
	if len(found) < 60 {
		t.Errorf("found %d refusals only", len(found))
	}
	statuses := map[string]int{"": 422, "Invalid": 422, "Conflicting": 409, "Unknown": 404}
	for code, class := range found {
		if strings.HasPrefix(code, "import.") {
			continue // of the command line
		}
		want := statuses[class]
		if code == "stale" {
			want = 412
		}
		if listed[code] != want {
			t.Errorf("%s is listed with status %d, want %d", code, listed[code], want)
		}
	}
}

// refusalsBelow finds composite literals of Refusal, and calls of refusal(code, reason).
func refusalsBelow(t *testing.T, root string, found map[string]string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if code, class := refusalAt(n); code != "" {
				found[code] = class
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func refusalAt(n ast.Node) (code, class string) {
	switch n := n.(type) {
	case *ast.CallExpr:
		if name, ok := n.Fun.(*ast.Ident); ok && name.Name == "refusal" && len(n.Args) == 2 {
			return literal(n.Args[0]), ""
		}
	case *ast.CompositeLit:
		if lastName(n.Type) != "Refusal" {
			return "", ""
		}
		for _, element := range n.Elts {
			pair, ok := element.(*ast.KeyValueExpr)
			if !ok {
				continue
			}
			switch lastName(pair.Key) {
			case "Code":
				code = literal(pair.Value)
			case "Class":
				class = lastName(pair.Value)
			}
		}
	}
	return code, class
}

func lastName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}

func literal(e ast.Expr) string {
	text, ok := e.(*ast.BasicLit)
	if !ok {
		return ""
	}
	value, err := strconv.Unquote(text.Value)
	if err != nil {
		return ""
	}
	return value
}
