internal import CFiles
internal import Glibc

/// Removes files and folders beneath a folder, with all that is in them.
///
/// Follows no link. Nothing of a folder is removed when there is a `.git` anywhere in it: it is a
/// repository, and somebody's work.
enum FolderRemoval {
    /// Removes what is at a path, if there is anything.
    static func remove(_ path: TreePath, in folder: Folder) throws(CacheError) {
        guard let stamp = try folder.stamp(path) else { return }
        var found = [(path: path, isFolder: stamp.kind == .folder)]
        var next = 0
        while next < found.count {
            let (path, isFolder) = found[next]
            next += 1
            if !isFolder { continue }
            let git = path.appending(".git".utf8)
            if try folder.stamp(git) != nil {
                throw .failed(operation: "remove", path: folder.place(git), errno: ENOTEMPTY)
            }
            let names = try FolderNames(
                folder, path, most: TreeScan.mostFiles, wants: { _, _ in true })
            guard let names else { continue }
            for index in 0..<names.count {
                let kind = names.stamp(of: index).flatMap(FileStamp.init)?.kind
                found.append((path.appending(names.name(of: index)), kind == .folder))
            }
        }
        // What is in a folder was found after it.
        for (path, isFolder) in found.reversed() {
            let flags = Int32(DANUBE_O_PATH) | O_DIRECTORY
            guard let parent = try folder.open(path.parent, flags) else { continue }
            defer { parent.close() }
            let error = TreePath.withCString(path.name) {
                unlinkat(parent.number, $0, isFolder ? AT_REMOVEDIR : 0) < 0 ? errno : 0
            }
            if error != 0, error != ENOENT { throw .of(error, "remove", folder.place(path)) }
        }
    }
}
