internal import Glibc

/// A folder as a tar archive that is made while it is read, with one part of it in memory at a
/// time. Links out of the folder are left out, for whoever unpacks it would follow them.
///
/// It waits for the disk, so no task of the cooperative pool asks it for anything.
struct TarStream: ~Copyable {
    private struct Level {
        let path: [UInt8]
        var rest: ArraySlice<FolderListing.Entry>
    }

    private let root: Int32
    /// What every path in the archive begins with.
    private let name: [UInt8]
    private var levels: [Level] = []
    private var file: (descriptor: Int32, path: [UInt8], size: Int64, left: Int64)?
    private var hasBegun = false
    private var hasEnded = false

    private static let part = 256 << 10
    private static let mostLevels = 256

    /// The archive of a folder, whose entries stand beneath a name.
    init(folder: String, as name: [UInt8]) throws(ArtifactProblem) {
        root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
        self.name = name
        guard root >= 0 else { throw .system("open", path: folder, errno: errno) }
    }

    deinit {
        if let file { close(file.descriptor) }
        if root >= 0 { close(root) }
    }

    /// The next bytes; `nil` at the end.
    mutating func next() throws(ArtifactProblem) -> [UInt8]? {
        if hasEnded { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.part + TarEntry.block)
        if !hasBegun {
            hasBegun = true
            bytes += TarEntry(path: name, kind: .folder).header
            levels.append(try level([]))
        }
        while bytes.count < Self.part {
            if file != nil {
                try readFile(&bytes)
            } else if let level = levels.indices.last {
                guard let entry = levels[level].rest.popFirst() else {
                    levels.removeLast()
                    continue
                }
                try begin(entry, in: levels[level].path, &bytes)
            } else {
                hasEnded = true
                bytes += TarEntry.end
                break
            }
        }
        return bytes
    }

    private mutating func begin(
        _ entry: FolderListing.Entry, in folder: [UInt8], _ bytes: inout [UInt8]
    ) throws(ArtifactProblem) {
        let path = folder.isEmpty ? entry.name : folder + [UInt8(ascii: "/")] + entry.name
        let tar = TarEntry(path: name + [UInt8(ascii: "/")] + path, kind: entry.kind)
        switch entry.kind {
        case .link(let target):
            if !Self.staysInside(target, depth: levels.count - 1) { return }
            bytes += tar.header
        case .folder:
            bytes += tar.header
            levels.append(try level(path))
        case .file(let size, _):
            let descriptor = FolderListing.open(
                root, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
            guard descriptor >= 0 else {
                throw .system(
                    "open", path: String(decoding: path, as: UTF8.self), errno: -descriptor)
            }
            bytes += tar.header
            file = (descriptor, path, size, size)
        }
    }

    private func level(_ path: [UInt8]) throws(ArtifactProblem) -> Level {
        guard levels.count < Self.mostLevels else {
            throw .tooDeep(path: String(decoding: path, as: UTF8.self))
        }
        let listing = try FolderListing(root: root, path: path)
        return Level(path: path, rest: listing.entries[...])
    }

    private mutating func readFile(_ bytes: inout [UInt8]) throws(ArtifactProblem) {
        guard var open = file else { return }
        let wanted = Int(min(open.left, Int64(Self.part)))
        if wanted > 0 {
            let start = bytes.count
            bytes += [UInt8](repeating: 0, count: wanted)
            let got = bytes.withUnsafeMutableBytes {
                read(open.descriptor, $0.baseAddress.map { $0 + start }, wanted)
            }
            if got < 0, errno == EINTR {
                bytes.removeLast(wanted)
                return
            }
            guard got > 0 else {
                let path = String(decoding: open.path, as: UTF8.self)
                throw got == 0 ? .changed(path: path) : .system("read", path: path, errno: errno)
            }
            bytes.removeLast(wanted - got)
            open.left -= Int64(got)
            file = open
        }
        if open.left == 0 {
            bytes += TarEntry.padding(after: open.size)
            close(open.descriptor)
            file = nil
        }
    }

    /// Whether a link in a folder so deep leads to something within the artifact, by its words:
    /// what other links there are cannot lead further than they may themselves.
    private static func staysInside(_ target: [UInt8], depth: Int) -> Bool {
        let slash = UInt8(ascii: "/")
        guard let first = target.first, first != slash else { return false }
        var level = depth
        var hasGoneDown = false
        for part in target.split(separator: slash) where part != [0x2e] {
            if part == [0x2e, 0x2e] {
                // Down through another link and up again is somewhere else.
                if hasGoneDown { return false }
                level -= 1
            } else {
                hasGoneDown = true
                level += 1
            }
            if level < 0 { return false }
        }
        return true
    }
}
