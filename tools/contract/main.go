// Command contract is a plugin of protoc and buf that writes the reference for
// authors of backends, docs/contract.md, from the comments of the services that
// it is given.
package main

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/pluginpb"
)

func main() {
	protogen.Options{}.Run(func(p *protogen.Plugin) error {
		p.SupportedFeatures = uint64(pluginpb.CodeGeneratorResponse_FEATURE_PROTO3_OPTIONAL)
		w := p.NewGeneratedFile("contract.md", "")
		w.P("# The contract")
		w.P()
		w.P("What an account backend serves to the host, method by method and field by field. This page is made from the comments in `shared/proto`; the [backend author's guide](backends.md) says how to read it, and what surrounds it.")
		for _, name := range []string{"concourse/users/v1/users.proto", "concourse/account/v1/account.proto"} {
			f, ok := p.FilesByPath[name]
			if !ok {
				return fmt.Errorf("there is no %s", name)
			}
			if err := writeFile(w, f); err != nil {
				return err
			}
		}
		return nil
	})
}

func writeFile(w *protogen.GeneratedFile, f *protogen.File) error {
	w.P()
	w.P("## ", string(f.Desc.Package()))
	// A file's own comment stands before its syntax statement.
	const syntax = 12
	writeComment(w, protogen.Comments(f.Desc.SourceLocations().ByPath(protoreflect.SourcePath{syntax}).LeadingComments))
	for _, s := range f.Services {
		w.P()
		w.P("### service ", string(s.Desc.Name()))
		writeComment(w, s.Comments.Leading)
		w.P()
		w.P("| Method | Takes | Answers | |")
		w.P("| --- | --- | --- | --- |")
		for _, m := range s.Methods {
			w.P("| `", string(m.Desc.Name()), "` | ", streamed(m.Desc.IsStreamingClient(), m.Input), " | ", streamed(m.Desc.IsStreamingServer(), m.Output), " | ", oneLine(m.Comments), " |")
		}
	}
	for _, m := range f.Messages {
		if err := writeMessage(w, m); err != nil {
			return err
		}
	}
	for _, e := range f.Enums {
		w.P()
		w.P("### enum ", string(e.Desc.Name()))
		writeComment(w, e.Comments.Leading)
		w.P()
		w.P("| Value | Number | |")
		w.P("| --- | --- | --- |")
		for _, v := range e.Values {
			w.P("| `", string(v.Desc.Name()), "` | ", v.Desc.Number(), " | ", oneLine(v.Comments), " |")
		}
	}
	return nil
}

// writeMessage knows no types within types, since there are none.
func writeMessage(w *protogen.GeneratedFile, m *protogen.Message) error {
	for _, inner := range m.Messages {
		if !inner.Desc.IsMapEntry() {
			return fmt.Errorf("%s is declared in a message", inner.Desc.FullName())
		}
	}
	if len(m.Enums) > 0 {
		return fmt.Errorf("%s is declared in a message", m.Enums[0].Desc.FullName())
	}
	w.P()
	w.P("### message ", string(m.Desc.Name()))
	writeComment(w, m.Comments.Leading)
	if len(m.Fields) == 0 {
		w.P()
		w.P("No fields.")
		return nil
	}
	w.P()
	w.P("| Field | Number | Type | |")
	w.P("| --- | --- | --- | --- |")
	for _, f := range m.Fields {
		w.P("| `", string(f.Desc.Name()), "` | ", f.Desc.Number(), " | ", typeOf(f.Desc), " | ", oneLine(f.Comments), " |")
	}
	return nil
}

func streamed(is bool, m *protogen.Message) string {
	if is {
		return "a stream of " + link(m.Desc)
	}
	return link(m.Desc)
}

func typeOf(d protoreflect.FieldDescriptor) string {
	if d.IsMap() {
		return fmt.Sprintf("map of %s to %s", typeOf(d.MapKey()), typeOf(d.MapValue()))
	}
	name := d.Kind().String()
	switch {
	case d.Message() != nil:
		name = link(d.Message())
	case d.Enum() != nil:
		name = link(d.Enum())
	}
	switch {
	case d.ContainingOneof() != nil && !d.ContainingOneof().IsSynthetic():
		return fmt.Sprintf("one of %s: %s", d.ContainingOneof().Name(), name)
	case d.IsList():
		return "list of " + name
	case d.HasOptionalKeyword():
		return "optional " + name
	}
	return name
}

// link points to where the page explains a type of ours.
func link(d protoreflect.Descriptor) string {
	name := string(d.Name())
	if !strings.HasPrefix(string(d.FullName()), "concourse.") {
		return name
	}
	kind := "message"
	if _, ok := d.(protoreflect.EnumDescriptor); ok {
		kind = "enum"
	}
	return fmt.Sprintf("[%s](#%s-%s)", name, kind, strings.ToLower(name))
}

// writeComment writes paragraphs; what is indented in the comment is a table
// that stays as it is.
func writeComment(w *protogen.GeneratedFile, c protogen.Comments) {
	for _, paragraph := range strings.Split(strings.Trim(string(c), "\n"), "\n\n") {
		if strings.TrimSpace(paragraph) == "" {
			continue
		}
		w.P()
		if strings.HasPrefix(paragraph, "   ") {
			for line := range strings.Lines(paragraph) {
				w.P(strings.TrimRight("   "+line, " \n"))
			}
			continue
		}
		w.P(flow(paragraph))
	}
}

// oneLine joins the comments of a row of a table.
func oneLine(c protogen.CommentSet) string {
	return strings.ReplaceAll(flow(string(c.Leading)+" "+string(c.Trailing)), "|", "\\|")
}

// flow joins lines.
func flow(s string) string { return strings.Join(strings.Fields(s), " ") }
