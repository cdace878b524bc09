/// One entry of a tar archive in the `ustar` form of POSIX.1-2001, with an extended header in front
/// (`pax`) where a name, a target or a size does not fit. Nothing in it depends on who made it or
/// when: the same tree gives the same bytes.
struct TarEntry {
    /// What an entry is.
    enum Kind: Equatable {
        case folder
        /// A file with so many bytes, which follow the header.
        case file(bytes: Int64, isExecutable: Bool)
        case link(target: [UInt8])
    }

    /// From the root of the archive, without a slash at either end.
    let path: [UInt8]
    let kind: Kind

    static let block = 512
    /// 2000-01-01T00:00:00Z: programs warn of the year 1970.
    private static let time: Int64 = 946_684_800
    private static let mostOctalSize: Int64 = 0o77_777_777_777

    /// The blocks before the content.
    var header: [UInt8] {
        var name = path
        var target: [UInt8] = []
        var size: Int64 = 0
        var (mode, type): (Int64, UInt8)
        switch kind {
        case .folder:
            (mode, type) = (0o755, UInt8(ascii: "5"))
            name.append(UInt8(ascii: "/"))
        case .file(let bytes, let isExecutable):
            (mode, type) = (isExecutable ? 0o755 : 0o644, UInt8(ascii: "0"))
            size = bytes
        case .link(let bytes):
            (mode, type) = (0o777, UInt8(ascii: "2"))
            target = bytes
        }
        var records: [UInt8] = []
        let split = Self.split(name)
        if split == nil { records += Self.record("path", name) }
        if target.count > 100 { records += Self.record("linkpath", target) }
        if size > Self.mostOctalSize { records += Self.record("size", Array(String(size).utf8)) }
        var bytes: [UInt8] = []
        if !records.isEmpty {
            bytes += Self.block(
                name: Array("pax".utf8), prefix: [], mode: 0o644, size: Int64(records.count),
                type: UInt8(ascii: "x"), target: [])
            bytes += records + Self.padding(after: Int64(records.count))
        }
        let place = split ?? (Array(name.suffix(100)), [])
        bytes += Self.block(
            name: place.name, prefix: place.prefix, mode: mode,
            size: size > Self.mostOctalSize ? 0 : size, type: type,
            target: Array(target.prefix(100)))
        return bytes
    }

    /// What fills the last block of a content.
    static func padding(after bytes: Int64) -> [UInt8] {
        let rest = Int(bytes % Int64(block))
        return [UInt8](repeating: 0, count: rest == 0 ? 0 : block - rest)
    }

    /// What stands at the end of an archive.
    static let end = [UInt8](repeating: 0, count: 2 * block)

    /// A name of at most 100 bytes and a prefix of at most 155, divided at a slash.
    private static func split(_ name: [UInt8]) -> (name: [UInt8], prefix: [UInt8])? {
        if name.count <= 100 { return (name, []) }
        guard name.count <= 256 else { return nil }
        let slash = UInt8(ascii: "/")
        // A slash at the very end belongs to the name of a folder.
        for position in (name.count - 101)..<(name.count - 1)
        where position <= 155 && position > 0 && name[position] == slash {
            return (Array(name[(position + 1)...]), Array(name[..<position]))
        }
        return nil
    }

    /// `LENGTH KEY=VALUE\n`, in which the length counts its own digits.
    private static func record(_ key: String, _ value: [UInt8]) -> [UInt8] {
        let rest = Array(" \(key)=".utf8) + value + [UInt8(ascii: "\n")]
        var length = rest.count
        while String(length).utf8.count + rest.count != length {
            length = String(length).utf8.count + rest.count
        }
        return Array(String(length).utf8) + rest
    }

    private static func block(
        name: [UInt8], prefix: [UInt8], mode: Int64, size: Int64, type: UInt8, target: [UInt8]
    ) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: block)
        func put(_ field: [UInt8], at offset: Int) {
            for (index, byte) in field.enumerated() { bytes[offset + index] = byte }
        }
        put(name, at: 0)
        put(octal(mode, 7), at: 100)
        put(octal(0, 7), at: 108)
        put(octal(0, 7), at: 116)
        put(octal(size, 11), at: 124)
        put(octal(time, 11), at: 136)
        put([UInt8](repeating: UInt8(ascii: " "), count: 8), at: 148)
        bytes[156] = type
        put(target, at: 157)
        put(Array("ustar\u{0}00".utf8), at: 257)
        put(prefix, at: 345)
        let sum = bytes.reduce(Int64(0)) { $0 + Int64($1) }
        put(octal(sum, 6) + [0, UInt8(ascii: " ")], at: 148)
        return bytes
    }

    private static func octal(_ number: Int64, _ digits: Int) -> [UInt8] {
        let text = String(number, radix: 8)
        return Array((String(repeating: "0", count: max(0, digits - text.utf8.count)) + text).utf8)
    }
}
