internal import CFiles
internal import Glibc

/// What globs cover beneath a folder: files, symbolic links, and folders with nothing in them.
///
/// Reads only the folders that it must, asks only for the stamps of what is covered, follows no
/// link, never enters `.git`, and leaves out sockets, pipes and devices.
package struct TreeScan: Sendable {
    /// A path that was found.
    package struct Found: Sendable, Equatable {
        package var path: TreePath
        /// Its kind is file, link or, for a folder with nothing in it, folder.
        package var stamp: FileStamp
        /// The target of a link.
        package var target: [UInt8]?
        /// Whether it is on the file system of the folder that was scanned.
        package var isOnSameDevice = true
    }

    /// The most names that a scan may find before it gives up.
    package static let mostFiles = 4_000_000

    /// What was found, sorted by path, each once.
    package private(set) var found: [Found] = []
    /// Folders whose every name was looked at, if that was asked for.
    private(set) var folders: [TreePath] = []
    private let seesFolders: Bool
    private let root: Folder
    private let device: UInt64
    private let most: Int

    /// Scans a folder. Throws when a folder that a glob covers cannot be read, or when there are
    /// more than `most` files.
    package init(
        _ root: Folder, _ globs: [Glob], most: Int = TreeScan.mostFiles, seesFolders: Bool = false
    ) throws(CacheError) {
        self.seesFolders = seesFolders
        self.root = root
        self.most = most
        var stamp = danube_stamp()
        let error = danube_stamp(root.descriptor, &stamp)
        if error != 0 { throw .of(error, "look at", root.path) }
        device = stamp.device
        if !seesFolders, globs.count == 1, !globs[0].excludes, let path = globs[0].literal,
            try take(literal: path, wantsFolder: globs[0].wantsFolder)
        {
            return
        }
        let wanted = globs.filter { !$0.excludes }.map(Glob.Progress.init)
        let excluded = globs.filter(\.excludes).map(Glob.Progress.init)
        try walk(Place(path: .root, wanted: wanted, excluded: excluded, isCovered: false))
    }

    /// Takes one path without looking at the folders above it. False when it has to be walked to.
    private mutating func take(
        literal path: TreePath, wantsFolder: Bool
    ) throws(CacheError) -> Bool {
        var stamp = danube_stamp()
        let error = path.withCString { danube_stamp_beneath(root.descriptor, $0, &stamp) }
        if error == -ENOENT || error == -ENOTDIR { return true }
        guard error == 0, let found = FileStamp(stamp), found.kind == .file,
            !path.bytes.split(separator: UInt8(ascii: "/")).contains(Self.git)
        else { return false }
        if !wantsFolder {
            self.found.append(Found(path: path, stamp: found, isOnSameDevice: isHere(stamp)))
        }
        return true
    }

    private static let git = ArraySlice(".git".utf8)

    private func isHere(_ stamp: danube_stamp) -> Bool { stamp.device == device }

    /// A folder on the way, and how far the globs have come there.
    private struct Place {
        var path: TreePath
        var wanted: [Glob.Progress]
        var excluded: [Glob.Progress]
        /// Everything in it is wanted.
        var isCovered: Bool
    }

    /// A folder whose names are being gone through.
    private struct Frame {
        var place: Place
        var names: FolderNames
        var next = 0
        /// How much was found before it.
        var before: Int
    }

    /// Goes down without recursion: the depth of a tree is bounded by the length of paths only.
    private mutating func walk(_ start: Place) throws(CacheError) {
        var frames: [Frame] = []
        if let frame = try enter(start, stamp: nil) { frames.append(frame) }
        while let index = frames.indices.last {
            let next = frames[index].next
            guard next < frames[index].names.count else {
                let frame = frames.removeLast()
                if frame.place.isCovered, found.count == frame.before, !frame.place.path.isRoot {
                    append(frame.place.path, frame.names.stamp)
                }
                continue
            }
            frames[index].next += 1
            if let place = try look(at: next, in: frames[index]),
                let frame = try enter(place.0, stamp: place.1)
            {
                frames.append(frame)
            }
        }
    }

    private mutating func append(_ path: TreePath, _ stamp: danube_stamp?) {
        guard let stamp, let known = FileStamp(stamp) else { return }
        found.append(Found(path: path, stamp: known, isOnSameDevice: isHere(stamp)))
    }

    /// Opens a folder and reads the names that matter there. `nil` when it has gone.
    private mutating func enter(
        _ place: Place, stamp: danube_stamp?
    ) throws(CacheError) -> Frame? {
        var only: [[UInt8]]?
        if !place.isCovered {
            only = []
            for progress in place.wanted {
                guard let names = progress.names else {
                    only = nil
                    break
                }
                only?.append(contentsOf: names)
            }
        }
        let names: FolderNames?
        if let only {
            names = try FolderNames(root, place.path, only: only)
        } else {
            names = try FolderNames(root, place.path, most: most) { name, kind in
                if place.isCovered { return true }
                return place.wanted.contains { progress in
                    // What may be a folder, or a link in its place, is looked at.
                    let step = progress.entering(name, isFolder: kind != .file && kind != .other)
                    return step.covered || !step.below.isDead
                }
            }
        }
        guard let names else { return nil }
        if seesFolders, only == nil { folders.append(place.path) }
        names.stamp = stamp
        return Frame(place: place, names: names, before: found.count)
    }

    /// Takes a name of a folder, or gives the place below it.
    private mutating func look(
        at index: Int, in frame: Frame
    ) throws(CacheError) -> (Place, danube_stamp)? {
        guard let stamp = frame.names.stamp(of: index), let known = FileStamp(stamp) else {
            return nil
        }
        let name = frame.names.name(of: index)
        let isFolder = known.kind == .folder
        var below = Place(
            path: frame.place.path.appending(name), wanted: [], excluded: [],
            isCovered: frame.place.isCovered)
        for progress in frame.place.excluded {
            let step = progress.entering(name, isFolder: isFolder)
            if step.covered { return nil }
            if !step.below.isDead { below.excluded.append(step.below) }
        }
        var onTheWay = false
        if !below.isCovered {
            for progress in frame.place.wanted {
                let step = progress.entering(name, isFolder: isFolder)
                if step.covered { below.isCovered = true }
                if !step.below.isDead { below.wanted.append(step.below) }
                // A link where a folder is looked for: what the step sees depends on it.
                if known.kind == .link {
                    onTheWay = onTheWay || !progress.entering(name, isFolder: true).below.isDead
                }
            }
        }
        switch known.kind {
        case .folder:
            if below.isCovered { below.wanted = [] }
            return below.isCovered || !below.wanted.isEmpty ? (below, stamp) : nil
        case .file, .link:
            guard below.isCovered || onTheWay else { return nil }
            if found.count >= most { throw .tooManyFiles(path: root.path, most: most) }
            found.append(
                Found(
                    path: below.path, stamp: known, target: frame.names.target(of: index),
                    isOnSameDevice: isHere(stamp)))
        case .other: break
        }
        return nil
    }
}
