package keystore

import (
	"encoding/binary"
	"fmt"
)

// javaObject returns how many bytes a serialized Java object has, with the header
// of its stream. A JCEKS holds each secret key as one, without a length in front,
// so that whoever wants the entry behind it has to walk it. The grammar is that
// of the Java Object Serialization Specification, chapter 6.4; of it this reads
// what a SealedObject is made of (javax.crypto.SealedObject, JDK 17), and refuses
// the rest.
func javaObject(data []byte) (int, error) {
	w := &objectWalker{r: jksReader{data: data}}
	if header := w.r.uint32("the header of a Java object"); w.r.err == nil && header != 0xACED0005 {
		return 0, fmt.Errorf("%w: expected a serialized Java object", ErrCorrupt)
	}
	w.content(0)
	return w.r.pos, w.r.err
}

// The tags of the grammar (java.io.ObjectStreamConstants).
const (
	tcNull         = 0x70
	tcReference    = 0x71
	tcClassDesc    = 0x72
	tcObject       = 0x73
	tcString       = 0x74
	tcArray        = 0x75
	tcBlockData    = 0x77
	tcEndBlockData = 0x78

	scWriteMethod  = 0x01
	scSerializable = 0x02

	firstHandle = 0x7E0000
	// maxObjectDepth bounds the recursion; a SealedObject needs three.
	maxObjectDepth = 16
)

// javaClass is what the walk has to know of a class: how long its fields are.
type javaClass struct {
	name   string
	flags  byte
	fields []byte // their type codes
	super  *javaClass
	// height is how many classes are above it. It bounds what an object costs
	// whose classes are references.
	height int
	// done is set at the end of its description: a class has its handle before
	// its superclass is read, and could name itself.
	done bool
}

type objectWalker struct {
	r jksReader
	// handles are the classes by handle, nil for what is no class.
	handles []*javaClass
}

func (w *objectWalker) refuse(format string, args ...any) {
	if w.r.err == nil {
		w.r.err = fmt.Errorf("%w: a Java object with %s", ErrUnsupported, fmt.Sprintf(format, args...))
	}
}

func (w *objectWalker) byte() byte {
	if b := w.r.bytes(1, "a part of a Java object"); b != nil {
		return b[0]
	}
	return 0
}

// content walks one object, string, array or nothing. It returns the tag.
func (w *objectWalker) content(depth int) byte {
	if depth > maxObjectDepth {
		w.refuse("more than %d levels", maxObjectDepth)
	}
	tag := w.byte()
	if w.r.err != nil {
		return 0
	}
	switch tag {
	case tcNull, tcEndBlockData:
	case tcReference:
		w.r.bytes(4, "a reference")
	case tcString:
		w.handles = append(w.handles, nil)
		w.r.text("a string")
	case tcBlockData:
		w.r.bytes(int(w.byte()), "a block of data")
	case tcArray:
		class := w.class(depth + 1)
		w.handles = append(w.handles, nil)
		n := w.r.uint32("the length of an array")
		if class == nil || len(class.name) != 2 {
			w.refuse("an array of objects")
			return tag
		}
		if size := fieldSize(class.name[1]); size > 0 && uint64(n) <= uint64(len(w.r.data)) {
			w.r.bytes(int(n)*size, "an array")
		} else {
			w.refuse("an array of %d %q", n, printable(class.name))
		}
	case tcObject:
		class := w.class(depth + 1)
		w.handles = append(w.handles, nil)
		w.object(class, depth)
	default:
		w.refuse("the tag %#x", tag)
	}
	return tag
}

// object walks the fields of a class, those of its superclasses first.
func (w *objectWalker) object(class *javaClass, depth int) {
	if class == nil || w.r.err != nil {
		return
	}
	w.object(class.super, depth)
	if class.flags&scSerializable == 0 {
		w.refuse("a class that writes itself")
		return
	}
	for _, code := range class.fields {
		if size := fieldSize(code); size > 0 {
			w.r.bytes(size, "a field")
		} else if w.content(depth+1) == tcEndBlockData {
			w.refuse("no value in a field")
		}
		if w.r.err != nil {
			return
		}
	}
	for class.flags&scWriteMethod != 0 && w.r.err == nil {
		if w.content(depth+1) == tcEndBlockData {
			return
		}
	}
}

// class walks a description of a class; nil is that of no class.
func (w *objectWalker) class(depth int) *javaClass {
	if depth > maxObjectDepth {
		w.refuse("more than %d levels", maxObjectDepth)
	}
	switch tag := w.byte(); {
	case w.r.err != nil || tag == tcNull:
		return nil
	case tag == tcReference:
		n := int64(w.r.uint32("a reference")) - firstHandle
		if w.r.err == nil && (n < 0 || n >= int64(len(w.handles)) || w.handles[n] == nil || !w.handles[n].done) {
			w.refuse("a reference to no class, or to one that is not there yet")
			return nil
		} else if w.r.err != nil {
			return nil
		}
		return w.handles[n]
	case tag != tcClassDesc:
		w.refuse("the tag %#x in the place of a class", tag)
		return nil
	}
	class := &javaClass{name: w.r.text("the name of a class")}
	w.r.bytes(8, "the version of a class")
	w.handles = append(w.handles, class)
	class.flags = w.byte()
	var n uint16
	if b := w.r.bytes(2, "the number of fields"); b != nil {
		n = binary.BigEndian.Uint16(b)
	}
	for ; n > 0 && w.r.err == nil; n-- {
		code := w.byte()
		w.r.text("the name of a field")
		if code == 'L' || code == '[' {
			w.content(depth + 1) // the name of its type
		} else if w.r.err == nil && fieldSize(code) == 0 {
			w.refuse("a field of type %#x", code)
		}
		class.fields = append(class.fields, code)
	}
	for w.r.err == nil && w.content(depth+1) != tcEndBlockData {
	}
	if class.super = w.class(depth + 1); class.super != nil {
		class.height = class.super.height + 1
	}
	if class.height > maxObjectDepth {
		w.refuse("a class below more than %d others", maxObjectDepth)
	}
	class.done = true
	return class
}

// fieldSize is that of a primitive type, 0 for others.
func fieldSize(code byte) int {
	switch code {
	case 'B', 'Z':
		return 1
	case 'C', 'S':
		return 2
	case 'I', 'F':
		return 4
	case 'J', 'D':
		return 8
	}
	return 0
}
