package credentials

import "strings"

// What a class description says of how its objects are written.
const (
	writesMore     = 0x01 // an annotation follows its fields
	serializable   = 0x02
	externalizable = 0x04
	writesBlocks   = 0x08 // of an externalizable one
)

// Bounds on what is gone through again wherever an object is referred to. A
// table's objects are of two classes, of three fields.
const (
	mostClasses = 16 // of an object
	mostFields  = 64 // of a class
)

// class is the description of one. Nothing is made by its name.
type class struct {
	name   string
	flags  byte
	fields []fieldType
	super  *class
	above  int  // how many classes are above it
	whole  bool // read to its end: nothing else may be of this class
}

type fieldType struct {
	code byte
	name string
}

// object has a part for each of its classes, the uppermost first.
type object struct {
	at    int
	class *class
	parts []part
}

type part struct {
	class      *class
	fields     []any
	annotation []any
}

// classOf reads the class of what follows, which there must be.
func (s *stream) classOf(depth int) (*class, error) {
	at := s.at
	c, err := s.classOrNone(depth)
	if err == nil && c == nil {
		err = flawed(at, "expected a class, found none")
	}
	return c, err
}

func (s *stream) classOrNone(depth int) (*class, error) {
	at := s.at
	v, err := s.value(depth + 1)
	if err != nil || v == nil {
		return nil, err
	}
	c, ok := v.(*class)
	if !ok || !c.whole {
		return nil, flawed(at, "expected a class")
	}
	return c, nil
}

func (s *stream) class(depth int) (*class, error) {
	c := &class{}
	var err error
	if c.name, err = s.text(2); err != nil {
		return nil, err
	}
	if _, err := s.take(8, "the version of a class"); err != nil {
		return nil, err
	}
	s.keep(c)
	at := s.at
	flags, err := s.number(1, "the flags of a class")
	if err != nil {
		return nil, err
	}
	c.flags = byte(flags)
	if c.flags&externalizable != 0 && c.flags&writesBlocks == 0 {
		return nil, flawed(at, "the class %q writes its objects in a form that cannot be read without it", c.name)
	}
	if err := s.fieldTypes(c, depth); err != nil {
		return nil, err
	}
	if _, err := s.annotation(depth); err != nil {
		return nil, err
	}
	at = s.at
	if c.super, err = s.classOrNone(depth); err != nil {
		return nil, err
	}
	if c.super != nil {
		if c.above = c.super.above + 1; c.above == mostClasses {
			return nil, flawed(at, "the class %q has more than %d others above it", c.name, mostClasses-1)
		}
	}
	c.whole = true
	return c, nil
}

func (s *stream) fieldTypes(c *class, depth int) error {
	at := s.at
	n, err := s.length(2, "the fields of a class")
	if err == nil && n > mostFields {
		err = flawed(at, "the class %q has %d fields, and %d is the most", c.name, n, mostFields)
	}
	if err != nil {
		return err
	}
	for range n {
		at := s.at
		code, err := s.number(1, "the type of a field")
		if err != nil {
			return err
		}
		if !strings.ContainsRune("BCDFIJSZL[", rune(code)) {
			return flawed(at, "expected the type of a field, found %02x", code)
		}
		f := fieldType{code: byte(code)}
		if f.name, err = s.text(2); err != nil {
			return err
		}
		if f.code == 'L' || f.code == '[' {
			at := s.at
			v, err := s.value(depth + 1)
			if err != nil {
				return err
			}
			if _, ok := v.(string); !ok {
				return flawed(at, "expected the class of a field")
			}
		}
		if err := s.spend(1); err != nil {
			return err
		}
		c.fields = append(c.fields, f)
	}
	return nil
}

// annotation reads what a class has written in its own way, to its end.
func (s *stream) annotation(depth int) (all []any, err error) {
	for {
		if s.at == len(s.data) {
			return nil, flawed(s.at, "expected a value or the end of a block of data, and the file ends")
		}
		switch s.data[s.at] {
		case tagEnd:
			s.at++
			return all, nil
		case tagBlock, tagLongBlock:
			size := 1
			if s.data[s.at] == tagLongBlock {
				size = 4
			}
			s.at++
			n, err := s.length(size, "a block of data")
			if err == nil {
				err = s.spend(1)
			}
			if err != nil {
				return nil, err
			}
			b, err := s.take(n, "a block of data")
			if err != nil {
				return nil, err
			}
			all = append(all, block(b))
		default:
			v, err := s.value(depth + 1)
			if err != nil {
				return nil, err
			}
			all = append(all, v)
		}
	}
}

func (s *stream) object(at, depth int) (*object, error) {
	o := &object{at: at}
	var err error
	if o.class, err = s.classOf(depth); err != nil {
		return nil, err
	}
	s.keep(o)
	var classes []*class
	for c := o.class; c != nil; c = c.super {
		if err := s.spend(1); err != nil {
			return nil, err
		}
		classes = append(classes, c)
	}
	for i := len(classes) - 1; i >= 0; i-- {
		p := part{class: classes[i]}
		if p.class.flags&serializable != 0 {
			for _, f := range p.class.fields {
				v, err := s.field(f.code, depth)
				if err != nil {
					return nil, err
				}
				p.fields = append(p.fields, v)
			}
		}
		if p.class.flags&(serializable|writesMore) == serializable|writesMore || p.class.flags&externalizable != 0 {
			if p.annotation, err = s.annotation(depth); err != nil {
				return nil, err
			}
		}
		o.parts = append(o.parts, p)
	}
	return o, nil
}

// of returns what the class of that name has written of the object.
func (o *object) of(name string) *part {
	for i := range o.parts {
		if o.parts[i].class.name == name {
			return &o.parts[i]
		}
	}
	return nil
}

// field returns the field of that name and type; nil if there is none.
func (p *part) field(code byte, name string) any {
	for i, f := range p.class.fields {
		if f == (fieldType{code, name}) && i < len(p.fields) {
			return p.fields[i]
		}
	}
	return nil
}
