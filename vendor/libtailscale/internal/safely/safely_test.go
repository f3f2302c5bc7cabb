package safely

import (
	"context"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kolaboree/kolaboree-node/libtailscale/internal/errs"
)

// listen collects the reports of a test.
func listen(t *testing.T) *[]string {
	var texts []string
	SetReport(func(text string) { texts = append(texts, text) })
	reported.Clear()
	t.Cleanup(func() { report.Store(nil) })
	return &texts
}

func TestAPanicIsAnErrorAndReportedWithItsStack(t *testing.T) {
	reports := listen(t)
	err := Do(func() error { panic("a defect") })
	var e *errs.Error
	if !errors.As(err, &e) || e.Code != errs.Internal || !strings.Contains(e.Message, "a defect") || strings.Contains(e.Message, "\n") {
		t.Errorf("the error: %v", err)
	}
	if len(*reports) != 1 || !strings.Contains((*reports)[0], "a defect") || !strings.Contains((*reports)[0], "safely_test.go") {
		t.Errorf("the reports: %v", *reports)
	}
	if err := Do(func() error { return errs.ErrClosed }); err != errs.ErrClosed {
		t.Errorf("an error became %v", err)
	}
}

func TestWhoeverWaitsForAGoroutineIsToldOfItsPanic(t *testing.T) {
	reports := listen(t)
	failed := make(chan error)
	Go(func() { panic("a defect") }, func(why error) { failed <- why })
	if err := <-failed; err == nil {
		t.Error("no reason")
	}
	Func(func() { panic("a defect") }, func(error) { panic("another") })()
	Func(func() { panic("a defect") }, nil)()
	if len(*reports) != 4 {
		t.Errorf("the reports: %v", *reports)
	}
}

func TestAResultIsAwaitedNoLongerThanTheCallerStays(t *testing.T) {
	reports := listen(t)
	if got, err := Await(t.Context(), func() (int, error) { return 7, errs.ErrClosed }); got != 7 || err != errs.ErrClosed {
		t.Errorf("got %d, %v", got, err)
	}
	if _, err := Await(t.Context(), func() (int, error) { panic("a defect") }); err == nil || len(*reports) != 1 {
		t.Errorf("a panic: %v, %v", err, *reports)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errs.ErrCanceled)
	released := make(chan struct{})
	if got, err := Await(ctx, func() (int, error) { <-released; return 7, nil }); got != 0 || err != errs.ErrCanceled {
		t.Errorf("after the caller has left: %d, %v", got, err)
	}
	close(released)
}

func TestAPlaceThatPanicsAllTheTimeDoesNotFillTheLog(t *testing.T) {
	reports := listen(t)
	for i := range 1000 {
		if err := Do(func() error { var none []int; _ = none[i]; return nil }); err == nil {
			t.Fatal("no error")
		}
	}
	if err := Do(func() error { panic("another place") }); err == nil || len(*reports) != 2 {
		t.Errorf("%v; %d reports: %v", err, len(*reports), *reports)
	}
}

// A goroutine that does not run by this package would end the process with its panic.
func TestEveryGoroutineRunsByThisPackage(t *testing.T) {
	files := token.NewFileSet()
	goroutines := 0
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			switch entry.Name() {
			case "cmd", "sandbox", "safely": // no part of the archive; and this package
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(files, path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(node ast.Node) bool {
			switch node := node.(type) {
			case *ast.GoStmt:
				t.Errorf("%s: a go statement: use safely.Go", files.Position(node.Pos()))
			case *ast.CallExpr:
				selector, ok := node.Fun.(*ast.SelectorExpr)
				if !ok || len(node.Args) == 0 {
					return true
				}
				switch selector.Sel.Name {
				case "Go", "AfterFunc", "SetFinalizer", "AddCleanup":
					goroutines++
					if !isOfThisPackage(selector.X) && !isSafe(node.Args[len(node.Args)-1]) {
						t.Errorf("%s: %s: pass safely.Func's function", files.Position(node.Pos()), selector.Sel.Name)
					}
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if goroutines < 20 {
		t.Errorf("only %d goroutines were found", goroutines)
	}
}

// isSafe is whether the function is one of this package's making, or only calls this package.
func isSafe(function ast.Expr) bool {
	switch function := function.(type) {
	case *ast.CallExpr:
		selector, ok := function.Fun.(*ast.SelectorExpr)
		return ok && isOfThisPackage(selector.X)
	case *ast.FuncLit:
		if len(function.Body.List) != 1 {
			return false
		}
		statement, ok := function.Body.List[0].(*ast.ExprStmt)
		return ok && isSafe(statement.X)
	}
	return false
}

func isOfThisPackage(x ast.Expr) bool {
	name, ok := x.(*ast.Ident)
	return ok && name.Name == "safely"
}
