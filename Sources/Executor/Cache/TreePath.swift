internal import Glibc

/// A normalised path beneath a folder, as bytes: file names on Linux need not be UTF-8.
///
/// Components are separated by one `/`; none is empty, `.` or `..`; there is no NUL. The empty path
/// is the folder itself. Paths are ordered component by component, so that a folder stands directly
/// before what is in it.
package struct TreePath: Sendable, Hashable {
    /// The bytes, without a NUL at the end.
    package let bytes: [UInt8]

    /// The folder itself.
    package static let root = TreePath(unchecked: [])

    /// Takes what is known to be normalised.
    init(unchecked bytes: [UInt8]) { self.bytes = bytes }

    /// Normalises a path: `.` and empty components are dropped. `nil` when it is absolute, has a
    /// component `..`, or a NUL.
    package init?(_ bytes: some Collection<UInt8>) {
        if bytes.first == slash || bytes.contains(0) { return nil }
        var normal: [UInt8] = []
        normal.reserveCapacity(bytes.count)
        for component in bytes.split(separator: slash) {
            if component.elementsEqual(CollectionOfOne(dot)) { continue }
            if component.elementsEqual([dot, dot]) { return nil }
            if !normal.isEmpty { normal.append(slash) }
            normal.append(contentsOf: component)
        }
        self.bytes = normal
    }

    /// Normalises a path given as text; `nil` as above.
    package init?(_ text: String) { self.init(Array(text.utf8)) }

    /// Whether this is the folder itself.
    package var isRoot: Bool { bytes.isEmpty }

    /// The path as text for people: bytes that are no UTF-8 read as U+FFFD.
    package var text: String { String(decoding: bytes, as: UTF8.self) }

    /// The path of a name in this folder.
    func appending(_ name: some Collection<UInt8>) -> TreePath {
        if bytes.isEmpty { return TreePath(unchecked: Array(name)) }
        var joined: [UInt8] = []
        joined.reserveCapacity(bytes.count + 1 + name.count)
        joined += bytes
        joined.append(slash)
        joined += name
        return TreePath(unchecked: joined)
    }

    /// The folder that this path is in; the root for the root.
    package var parent: TreePath {
        guard let cut = bytes.lastIndex(of: slash) else { return .root }
        return TreePath(unchecked: Array(bytes[..<cut]))
    }

    /// The last component.
    package var name: ArraySlice<UInt8> {
        guard let cut = bytes.lastIndex(of: slash) else { return bytes[...] }
        return bytes[(cut + 1)...]
    }

    /// Whether this is `folder` or lies beneath it.
    package func isWithin(_ folder: TreePath) -> Bool {
        let count = folder.bytes.count
        if count == 0 { return true }
        guard bytes.count >= count, bytes.starts(with: folder.bytes) else { return false }
        return bytes.count == count || bytes[count] == slash
    }

    /// Calls a function with the path as a C string; `.` for the root.
    func withCString<R>(_ body: (UnsafePointer<CChar>) -> R) -> R {
        bytes.isEmpty ? ".".withCString(body) : Self.withCString(bytes[...], body)
    }

    /// Calls a function with bytes that hold no NUL as a C string.
    static func withCString<R>(
        _ bytes: ArraySlice<UInt8>, _ body: (UnsafePointer<CChar>) -> R
    ) -> R {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: bytes.count + 1) { buffer in
            // The buffer has at least one element, so it has an address.
            guard let start = buffer.baseAddress else { return "".withCString(body) }
            bytes.withUnsafeBytes { bytes in
                if let source = bytes.baseAddress { memcpy(start, source, bytes.count) }
            }
            start[bytes.count] = 0
            return body(start)
        }
    }

    /// Hashes the bytes in one go.
    package func hash(into hasher: inout Hasher) {
        bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
    }
}

private let slash = UInt8(ascii: "/")
private let dot = UInt8(ascii: ".")

extension TreePath: Comparable {
    /// Compares as if `/` were smaller than every other byte, which is component by component.
    package static func < (a: TreePath, b: TreePath) -> Bool {
        a.bytes.withUnsafeBufferPointer { left in
            b.bytes.withUnsafeBufferPointer { right in
                let count = min(left.count, right.count)
                var position = 0
                while position < count, left[position] == right[position] { position += 1 }
                if position == count { return left.count < right.count }
                let x = left[position]
                let y = right[position]
                if x == slash { return true }
                if y == slash { return false }
                return x < y
            }
        }
    }
}

extension TreePath: CustomStringConvertible {
    /// The path as text; `.` for the root.
    package var description: String { isRoot ? "." : text }
}
