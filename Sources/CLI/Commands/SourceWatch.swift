import Glibc

/// Hears of changes of the files in a folder and all folders beneath it, except those of git and of
/// Danube.
struct SourceWatch {
    private static let mostFolders = 100_000
    private static let ignored: Set<String> = [".git", "danube-out"]
    private static let events =
        UInt32(IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO)
        | UInt32(IN_ATTRIB | IN_DONT_FOLLOW | IN_ONLYDIR | IN_EXCL_UNLINK)

    /// Can be read from when there are changes.
    let descriptor: Int32
    private var folders: [Int32: String] = [:]

    /// Watches a folder.
    init(_ root: String) throws(Failure) {
        descriptor = inotify_init1(Int32(IN_CLOEXEC | IN_NONBLOCK))
        guard descriptor >= 0 else {
            throw .environment(
                "files cannot be watched: \(FileBytes.reason(errno))",
                hint: "Raise fs.inotify.max_user_instances.")
        }
        try add(root)
    }

    private mutating func add(_ root: String) throws(Failure) {
        var todo = [root]
        while let folder = todo.popLast() {
            guard folders.count < Self.mostFolders else {
                throw .environment(
                    "there are more than \(Self.mostFolders) folders in \(root)",
                    hint: "Watch a part of it with -C.")
            }
            let watch = inotify_add_watch(descriptor, folder, Self.events)
            if watch < 0 {
                // It may be gone again.
                guard errno == ENOSPC else { continue }
                throw .environment(
                    "the system watches no more folders", hint: "Raise fs.inotify.max_user_watches."
                )
            }
            folders[watch] = folder
            guard let listing = opendir(folder) else { continue }
            defer { closedir(listing) }
            while let entry = readdir(listing) {
                guard entry.pointee.d_type == UInt8(DT_DIR) else { continue }
                let name = withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                if name == "." || name == ".." || Self.ignored.contains(name) { continue }
                todo.append("\(folder)/\(name)")
            }
        }
    }

    /// Reads what has happened. True when it was something that counts; new folders are watched
    /// from then on.
    mutating func changes() throws(Failure) -> Bool {
        var hasChanged = false
        var new: [String] = []
        let size = 1 << 16
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 8)
        defer { buffer.deallocate() }
        while true {
            let count = read(descriptor, buffer.baseAddress, size)
            if count <= 0 { break }
            var offset = 0
            let head = MemoryLayout<inotify_event>.size
            while offset + head <= count {
                let event = buffer.loadUnaligned(fromByteOffset: offset, as: inotify_event.self)
                let name = buffer[(offset + head)..<(offset + head + Int(event.len))]
                let text = String(decoding: name.prefix { $0 != 0 }, as: UTF8.self)
                offset += head + Int(event.len)
                if event.mask & UInt32(IN_IGNORED) != 0 {
                    folders[event.wd] = nil
                    continue
                }
                if Self.ignored.contains(text) { continue }
                hasChanged = true
                if event.mask & UInt32(IN_ISDIR) != 0, let folder = folders[event.wd] {
                    new.append("\(folder)/\(text)")
                }
            }
        }
        for folder in new { try add(folder) }
        return hasChanged
    }
}
