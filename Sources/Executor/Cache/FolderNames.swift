internal import CFiles
internal import Glibc

/// The names in a folder that matter to somebody, sorted, with their stamps.
final class FolderNames {
    private var listing = danube_listing()
    private var targets: [Int: [UInt8]] = [:]
    /// The folder's own stamp, kept by who goes through the names.
    var stamp: danube_stamp?

    /// Lists a folder and stamps the names that are wanted. `nil` when it has gone meanwhile.
    init?(
        _ root: Folder, _ path: TreePath, most: Int,
        wants: ([UInt8], FileStamp.Kind?) -> Bool
    ) throws(CacheError) {
        let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW
        guard let folder = try root.open(path, flags) else { return nil }
        defer { folder.close() }
        let error = danube_listing_read(folder.number, most, &listing)
        if error == -EOVERFLOW { throw .tooManyFiles(path: root.place(path), most: most) }
        if error != 0 { throw .of(error, "list", root.place(path)) }
        for index in 0..<count {
            let kind = FileStamp.Kind(letter: listing.entries[index].kind)
            listing.entries[index].wanted = wants(name(of: index), kind) ? 1 : 0
        }
        try finish(folder, root, path)
    }

    /// Looks for some names only. `nil` when the folder is not there.
    init?(_ root: Folder, _ path: TreePath, only names: [[UInt8]]) throws(CacheError) {
        let flags = Int32(DANUBE_O_PATH) | O_DIRECTORY | O_NOFOLLOW
        guard let folder = try root.open(path, flags) else { return nil }
        defer { folder.close() }
        let sorted = Set(names).filter { $0 != Array(".git".utf8) }
            .sorted { $0.lexicographicallyPrecedes($1) }
        let text = sorted.reduce(into: [UInt8]()) { $0 += $1 + [0] }
        guard let copy = malloc(max(1, text.count)),
            let entries = calloc(max(1, sorted.count), MemoryLayout<danube_entry>.stride)
        else { throw .failed(operation: "list", path: root.place(path), errno: ENOMEM) }
        text.withUnsafeBytes { bytes in
            if let start = bytes.baseAddress { memcpy(copy, start, bytes.count) }
        }
        listing.text = copy.assumingMemoryBound(to: CChar.self)
        listing.length = text.count
        listing.entries = entries.assumingMemoryBound(to: danube_entry.self)
        listing.count = sorted.count
        var start: UInt32 = 0
        for (index, name) in sorted.enumerated() {
            listing.entries[index].name = start
            listing.entries[index].length = UInt32(name.count)
            listing.entries[index].wanted = 1
            start += UInt32(name.count) + 1
        }
        try finish(folder, root, path)
    }

    deinit { danube_listing_free(&listing) }

    private func finish(_ folder: Descriptor, _ root: Folder, _ path: TreePath) throws(CacheError) {
        let error = danube_listing_stamp(folder.number, &listing)
        if error != 0 { throw .of(error, "look into", root.place(path)) }
        for index in 0..<count where FileStamp.Kind(letter: listing.entries[index].kind) == .link {
            guard listing.entries[index].wanted != 0 else { continue }
            let name = listing.text + Int(listing.entries[index].name)
            targets[index] = Folder.target(of: folder.number, name: name)
        }
    }

    var count: Int { listing.count }

    func name(of index: Int) -> [UInt8] {
        let entry = listing.entries[index]
        let start = UnsafeRawPointer(listing.text + Int(entry.name))
        return Array(UnsafeRawBufferPointer(start: start, count: Int(entry.length)))
    }

    /// The stamp of a wanted name; `nil` for the others, and for what has gone.
    func stamp(of index: Int) -> danube_stamp? {
        let entry = listing.entries[index]
        return entry.wanted != 0 && entry.stamp.kind != 0 ? entry.stamp : nil
    }

    func target(of index: Int) -> [UInt8]? { targets[index] }
}
