internal import CSandbox
internal import Glibc

/// Puts a layer on another one so that one folder holds both, without copying a file's content.
enum LayerMerge {
    /// Adds a layer to a folder. Files are linked, not copied: no layer is ever written to. Folders
    /// in `united` add to those that are there although they are marked to replace them.
    static func add(
        _ layer: String, to target: String, uniting united: Set<TreePath> = []
    ) throws(WorkspaceError) {
        var folders = [TreePath.root]
        while let folder = folders.popLast() {
            for name in try FileComparison.names(in: layer.joined(folder)) {
                let path = folder.appending(name)
                if try take(layer.joined(path), to: target.joined(path), path, united) {
                    folders.append(path)
                }
            }
        }
    }

    /// Takes one entry. True for a folder, whose content is to be taken too.
    private static func take(
        _ source: [CChar], to target: [CChar], _ path: TreePath, _ united: Set<TreePath>
    ) throws(WorkspaceError) -> Bool {
        let entry = danube_layer_entry(source)
        let there = danube_layer_entry(target)
        switch Int(entry) {
        case DANUBE_LAYER_FOLDER, DANUBE_LAYER_REPLACED:
            // A folder over something that is none, or over a mark, hides what is below it.
            let isFolder = there == DANUBE_LAYER_FOLDER || there == DANUBE_LAYER_REPLACED
            if isFolder, united.contains(path) { return true }
            let hides = entry == DANUBE_LAYER_REPLACED || (there >= 0 && !isFolder)
            if hides, there >= 0 { ScratchRemoval.remove(target) }
            if hides || there < 0 {
                var status = stat()
                guard lstat(source, &status) == 0, mkdir(target, status.st_mode & 0o7777) == 0
                else { throw .system("make the folder", path: path.text, errno: errno) }
            }
            if hides {
                let marked = danube_layer_replace(target)
                if marked < 0 { throw .system("mark", path: path.text, errno: -marked) }
            }
            return true
        case DANUBE_LAYER_REMOVED:
            if there >= 0 { ScratchRemoval.remove(target) }
            let marked = danube_layer_remove(target)
            if marked < 0 { throw .system("mark", path: path.text, errno: -marked) }
        case DANUBE_LAYER_FILE, DANUBE_LAYER_LINK, DANUBE_LAYER_OTHER:
            if there >= 0 { ScratchRemoval.remove(target) }
            guard linkat(AT_FDCWD, source, AT_FDCWD, target, 0) == 0 else {
                throw .system("link", path: path.text, errno: errno)
            }
        default: throw .unsupported(path: path.text)
        }
        return false
    }
}
