internal import CSandbox
internal import Glibc
internal import PipelineIR

/// The saved form of a digest memory: records sorted by the hash of their path, then the paths.
///
/// It is searched as it stands in the file, so reading it costs one digest over its bytes. Integers
/// are little-endian. Layout: magic, number of records (8 bytes), SHA-256 of all that follows,
/// records, paths.
struct DigestRecords: Sendable {
    private let bytes: [UInt8]
    let count: Int

    static let empty = DigestRecords(none: ())

    private static let magic = Array("DNBDIG01".utf8)
    private static let headSize = 48
    private static let recordSize = 96
    /// Saves after which a file that nobody asked for is forgotten.
    private static let mostAge: UInt32 = 40
    /// Larger files are not read.
    private static let mostBytes: Int64 = 1 << 30

    private init(none: Void) {
        bytes = []
        count = 0
    }

    /// Takes the content of a file; `nil` when it is not whole.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= Self.headSize, bytes.starts(with: Self.magic) else { return nil }
        let number: UInt64 = Self.load(bytes, 8)
        guard number <= UInt64((bytes.count - Self.headSize) / Self.recordSize),
            let expected = Digest(bytes: bytes[16..<Self.headSize])
        else { return nil }
        var hasher = DigestHasher()
        bytes.withUnsafeBytes {
            hasher.update(UnsafeRawBufferPointer(rebasing: $0[Self.headSize...]))
        }
        guard hasher.finalize() == expected else { return nil }
        self.bytes = bytes
        count = Int(number)
        // What is whole was written by us, but ours need not be this version: trust no offset.
        let text = Self.headSize + count * Self.recordSize
        for index in 0..<count {
            let (start, length) = pathRange(index)
            if start < text || length > bytes.count || start > bytes.count - length { return nil }
        }
    }

    /// Reads a file; one that is missing, damaged or foreign counts as empty.
    static func read(_ path: String) -> DigestRecords {
        guard let bytes = AtomicFile.read(path, most: mostBytes) else { return .empty }
        return DigestRecords(bytes) ?? .empty
    }

    /// Where a path's record is.
    func index(of path: TreePath) -> Int? {
        let hash = Self.hash(path.bytes)
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self.hash(middle) < hash { low = middle + 1 } else { high = middle }
        }
        while low < count, self.hash(low) == hash {
            let (start, length) = pathRange(low)
            if length == path.bytes.count, holds(path.bytes, at: start) { return low }
            low += 1
        }
        return nil
    }

    private func holds(_ path: [UInt8], at start: Int) -> Bool {
        bytes.withUnsafeBytes { all in
            path.withUnsafeBytes { path in
                guard let a = all.baseAddress, let b = path.baseAddress else { return true }
                return memcmp(a + start, b, path.count) == 0
            }
        }
    }

    /// Whether a record is about this very state of the file.
    func holds(_ index: Int, _ stamp: FileStamp) -> Bool {
        let record = Self.headSize + index * Self.recordSize
        return stamp.kind == .file
            && Self.load(bytes, record + 8) == stamp.inode
            && Self.load(bytes, record + 16) == stamp.size
            && Self.load(bytes, record + 24) == stamp.modified
            && Self.load(bytes, record + 32) == stamp.changed
            && Self.load(bytes, record + 40) == stamp.mode
    }

    func digest(_ index: Int) -> Digest? {
        let start = Self.headSize + index * Self.recordSize + 56
        return bytes.withUnsafeBytes {
            Digest(raw: UnsafeRawBufferPointer(rebasing: $0[start..<(start + Digest.byteCount)]))
        }
    }

    private func hash(_ index: Int) -> UInt64 {
        Self.load(bytes, Self.headSize + index * Self.recordSize)
    }

    private func age(_ index: Int) -> UInt32 {
        Self.load(bytes, Self.headSize + index * Self.recordSize + 44)
    }

    private func pathRange(_ index: Int) -> (start: Int, length: Int) {
        let record = Self.headSize + index * Self.recordSize
        let start: UInt32 = Self.load(bytes, record + 48)
        let length: UInt32 = Self.load(bytes, record + 52)
        return (Int(start), Int(length))
    }

    /// Where a record of a new file of records comes from.
    private enum Source {
        case old(Int)
        case new(TreePath, FileStamp, Digest)
    }

    /// The saved form of these records, where they are not replaced or too old, and of new ones.
    func encoded(
        used: [Bool], adding fresh: [TreePath: (stamp: FileStamp, digest: Digest)]
    ) -> [UInt8] {
        var sources: [(hash: UInt64, source: Source)] = []
        sources.reserveCapacity(count + fresh.count)
        for index in 0..<count where used[index] || age(index) < Self.mostAge {
            if fresh[path(index)] == nil { sources.append((hash(index), .old(index))) }
        }
        for (path, entry) in fresh {
            sources.append((Self.hash(path.bytes), .new(path, entry.stamp, entry.digest)))
        }
        sources.sort { $0.hash < $1.hash }
        var text: [UInt8] = []
        let textStart = Self.headSize + sources.count * Self.recordSize
        var out: [UInt8] = []
        out.reserveCapacity(textStart + sources.count * 48)
        out += Self.magic
        Self.store(UInt64(sources.count), into: &out)
        out += [UInt8](repeating: 0, count: Digest.byteCount)
        for (hash, source) in sources {
            Self.store(hash, into: &out)
            let start = UInt32(truncatingIfNeeded: textStart + text.count)
            text += append(source, pathAt: start, used: used, to: &out)
        }
        out += text
        var hasher = DigestHasher()
        out.withUnsafeBytes {
            hasher.update(UnsafeRawBufferPointer(rebasing: $0[Self.headSize...]))
        }
        out.replaceSubrange(16..<Self.headSize, with: hasher.finalize().bytes)
        return out
    }

    /// Writes a record behind its hash, and gives its path.
    private func append(
        _ source: Source, pathAt start: UInt32, used: [Bool], to out: inout [UInt8]
    ) -> [UInt8] {
        let name: [UInt8]
        switch source {
        case .old(let index):
            let record = Self.headSize + index * Self.recordSize
            out += bytes[(record + 8)..<(record + 44)]
            Self.store(used[index] ? UInt32(0) : age(index) + 1, into: &out)
            name = path(index).bytes
        case .new(let path, let stamp, _):
            Self.store(stamp.inode, into: &out)
            Self.store(stamp.size, into: &out)
            Self.store(stamp.modified, into: &out)
            Self.store(stamp.changed, into: &out)
            Self.store(stamp.mode, into: &out)
            Self.store(UInt32(0), into: &out)
            name = path.bytes
        }
        Self.store(start, into: &out)
        Self.store(UInt32(name.count), into: &out)
        switch source {
        case .old(let index):
            let record = Self.headSize + index * Self.recordSize
            out += bytes[(record + 56)..<(record + 88)]
        case .new(_, _, let digest): out += digest.bytes
        }
        Self.store(UInt64(0), into: &out)
        return name
    }

    private func path(_ index: Int) -> TreePath {
        let (start, length) = pathRange(index)
        return TreePath(unchecked: Array(bytes[start..<(start + length)]))
    }

    private static func load<T: FixedWidthInteger>(_ bytes: [UInt8], _ offset: Int) -> T {
        bytes.withUnsafeBytes {
            T(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: T.self))
        }
    }

    private static func store<T: FixedWidthInteger>(_ value: T, into bytes: inout [UInt8]) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// A fixed hash of a path; that of the standard library differs from run to run.
    static func hash(_ path: [UInt8]) -> UInt64 {
        var hash: UInt64 = 0x9E37_79B9_7F4A_7C15 ^ UInt64(path.count)
        path.withUnsafeBytes { bytes in
            var position = 0
            while position + 8 <= bytes.count {
                let word = UInt64(
                    littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
                hash = mix(hash ^ word)
                position += 8
            }
            var rest: UInt64 = 0
            while position < bytes.count {
                rest = rest << 8 | UInt64(bytes[position])
                position += 1
            }
            hash = mix(hash ^ rest)
        }
        return hash
    }

    private static func mix(_ value: UInt64) -> UInt64 {
        let product = (value ^ value >> 32) &* 0xD6E8_FEB8_6659_FD93
        return product ^ product >> 32
    }
}
