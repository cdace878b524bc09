internal import CFiles
internal import CSandbox
internal import Glibc

/// A lane where nothing can be mounted: a folder with copies of all layers, of which is known what
/// it looked like when it was made.
struct LaneCopy {
    /// What tells a changed entry from an unchanged one.
    private struct Mark: Equatable {
        var kind: UInt32
        var permissions: UInt32
        /// These are zero for folders, which change with what is in them.
        var size: Int64 = 0
        var inode: UInt64 = 0
        var modified: Int64 = 0
        var changed: Int64 = 0
    }

    /// How the files of a folder are made of those of layers.
    enum Way {
        /// They may be written to.
        case copy
        /// They are only read.
        case link
    }

    private var marks: [TreePath: Mark] = [:]

    /// Puts all layers of a state into an empty folder, and notes what is there.
    init(of state: WorkspaceState, in folder: String) throws {
        try Self.fill(folder, with: state, by: .copy)
        try Self.walk(folder) { path, mark in
            marks[path] = mark
            return true
        }
    }

    /// Puts all layers of a state into an empty folder.
    static func fill(_ folder: String, with state: WorkspaceState, by way: Way) throws {
        var modes: [TreePath: UInt32] = [:]
        for layer in state.layers {
            try add(layer.folder(), to: folder, by: way, modes: &modes)
        }
        // Only now is nothing put into them any more.
        for (path, mode) in modes.sorted(by: { $1.key < $0.key }) {
            chmod(folder.joined(path), mode)
        }
    }

    private static func add(
        _ layer: String, to target: String, by way: Way, modes: inout [TreePath: UInt32]
    ) throws {
        var folders = [TreePath.root]
        while let folder = folders.popLast() {
            for name in try FileComparison.names(in: layer.joined(folder)) {
                let path = folder.appending(name)
                let source = layer.joined(path)
                let place = target.joined(path)
                switch Int(danube_layer_entry(source)) {
                case DANUBE_LAYER_FOLDER:
                    if danube_layer_entry(place) != DANUBE_LAYER_FOLDER {
                        ScratchRemoval.remove(place)
                    }
                    modes[path] = try makeFolder(like: source, at: place, path)
                    folders.append(path)
                case DANUBE_LAYER_REPLACED:
                    ScratchRemoval.remove(place)
                    modes[path] = try makeFolder(like: source, at: place, path)
                    folders.append(path)
                case DANUBE_LAYER_REMOVED:
                    ScratchRemoval.remove(place)
                    modes[path] = nil
                case DANUBE_LAYER_FILE, DANUBE_LAYER_LINK:
                    ScratchRemoval.remove(place)
                    modes[path] = nil
                    try take(source, to: place, by: way, path)
                default: throw WorkspaceError.unsupported(path: path.text)
                }
            }
        }
        // What was replaced may have had folders in it.
        modes = modes.filter { danube_layer_entry(target.joined($0.key)) == DANUBE_LAYER_FOLDER }
    }

    private static func makeFolder(
        like source: [CChar], at place: [CChar], _ path: TreePath
    ) throws(WorkspaceError) -> UInt32 {
        let status = try status(source, path)
        guard mkdir(place, 0o700) == 0 || errno == EEXIST else {
            throw .system("make the folder", path: path.text, errno: errno)
        }
        chmod(place, 0o700)
        return status.st_mode & 0o7777
    }

    private static func take(
        _ source: [CChar], to place: [CChar], by way: Way, _ path: TreePath
    ) throws(WorkspaceError) {
        if way == .link {
            guard linkat(AT_FDCWD, source, AT_FDCWD, place, 0) == 0 else {
                throw .system("link", path: path.text, errno: errno)
            }
            return
        }
        let status = try status(source, path)
        if status.st_mode & S_IFMT == S_IFLNK {
            let target = [CChar](unsafeUninitializedCapacity: Int(PATH_MAX) + 1) { buffer, count in
                guard let start = buffer.baseAddress else { return }
                count = max(0, readlink(source, start, Int(PATH_MAX)))
                buffer[count] = 0
                count += 1
            }
            guard symlink(target, place) == 0 else {
                throw .system("link", path: path.text, errno: errno)
            }
            return
        }
        try FileCopy.copy(source, to: place, mode: 0o600)
        if geteuid() == 0 { lchown(place, status.st_uid, status.st_gid) }
        // Root writes to what is read-only; others need the right to.
        chmod(place, status.st_mode & 0o7777 | (geteuid() == 0 ? 0 : 0o200))
        var times = [status.st_atim, status.st_mtim]
        utimensat(AT_FDCWD, place, &times, AT_SYMLINK_NOFOLLOW)
    }

    private static func status(
        _ place: [CChar], _ path: TreePath
    ) throws(WorkspaceError) -> stat {
        var status = stat()
        guard lstat(place, &status) == 0 else {
            throw .system("look at", path: path.text, errno: errno)
        }
        return status
    }

    /// Calls a function with everything in a folder; it says whether a folder is to be entered.
    private static func walk(
        _ root: String, _ body: (TreePath, Mark) throws -> Bool
    ) throws {
        var folders = [TreePath.root]
        while let folder = folders.popLast() {
            for name in try FileComparison.names(in: root.joined(folder)) {
                let path = folder.appending(name)
                let status = try status(root.joined(path), path)
                let kind = status.st_mode & S_IFMT
                var mark = Mark(kind: kind, permissions: status.st_mode & 0o7777)
                if kind != S_IFDIR {
                    mark.size = Int64(status.st_size)
                    mark.inode = UInt64(status.st_ino)
                    mark.modified = nanoseconds(status.st_mtim)
                    mark.changed = nanoseconds(status.st_ctim)
                }
                let goesOn = try body(path, mark)
                if kind == S_IFDIR, goesOn { folders.append(path) }
            }
        }
    }

    private static func nanoseconds(_ time: timespec) -> Int64 {
        Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }

    /// Moves what has changed in the folder into a layer, with marks for what is gone. Nobody may
    /// use the folder any more.
    func seal(_ folder: String, into layer: String) throws {
        var gone = marks
        var moved: [TreePath] = []
        var hiding: Set<TreePath> = []
        var kept: [TreePath] = []
        try Self.walk(folder) { path, mark in
            let known = gone.removeValue(forKey: path)
            if known == mark { return true }
            let isFolder = mark.kind == S_IFDIR
            if isFolder, known?.kind == S_IFDIR {
                kept.append(path)
                return true
            }
            moved.append(path)
            if known != nil { hiding.insert(path) }
            return false
        }
        for path in kept { try Self.makeFolders(path, from: folder, in: layer) }
        for path in moved {
            try Self.makeFolders(path.parent, from: folder, in: layer)
            guard rename(folder.joined(path), layer.joined(path)) == 0 else {
                throw WorkspaceError.system("move", path: path.text, errno: errno)
            }
            if hiding.contains(path), danube_layer_entry(layer.joined(path)) == DANUBE_LAYER_FOLDER
            {
                try Self.check(danube_layer_replace(layer.joined(path)), path)
            }
        }
        for path in gone.keys.sorted() {
            let above = path.parent
            // What is above it is gone itself, or hides what was beneath it.
            if gone[above] != nil || hiding.contains(where: { path.isWithin($0) }) { continue }
            try Self.makeFolders(above, from: folder, in: layer)
            try Self.check(danube_layer_remove(layer.joined(path)), path)
        }
    }

    private static func check(_ status: Int32, _ path: TreePath) throws(WorkspaceError) {
        if status < 0 { throw .system("mark", path: path.text, errno: -status) }
    }

    /// Makes a folder and those above it in a layer, as they are in the lane.
    private static func makeFolders(
        _ path: TreePath, from lane: String, in layer: String
    ) throws(WorkspaceError) {
        if path.isRoot || danube_layer_entry(layer.joined(path)) >= 0 { return }
        try makeFolders(path.parent, from: lane, in: layer)
        let mode = try status(lane.joined(path), path).st_mode & 0o7777
        guard mkdir(layer.joined(path), 0o700) == 0 else {
            throw .system("make the folder", path: path.text, errno: errno)
        }
        chmod(layer.joined(path), mode)
    }
}
