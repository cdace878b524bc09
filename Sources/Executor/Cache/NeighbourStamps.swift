internal import CFiles
internal import Glibc

/// Looks at many files in the order of their paths: the folder of the last one stays open, so that
/// its neighbours cost one system call each.
struct NeighbourStamps {
    private let folder: Folder
    private var parent: TreePath?
    private var opened: Descriptor?

    init(_ folder: Folder) { self.folder = folder }

    /// What is at a path; `nil` when there is nothing, also when a link is on the way.
    mutating func stamp(_ path: TreePath) throws(CacheError) -> FileStamp? {
        let above = path.parent
        if above != parent {
            close()
            opened = try folder.open(
                above, Int32(DANUBE_O_PATH) | O_DIRECTORY | O_NOFOLLOW)
            parent = above
        }
        guard let opened else { return nil }
        var stamp = danube_stamp()
        let error = TreePath.withCString(path.name) {
            danube_stamp_at(opened.number, $0, &stamp)
        }
        if error == 0 { return FileStamp(stamp) }
        if Folder.isAbsence(error) { return nil }
        throw .of(error, "look at", folder.place(path))
    }

    /// Lets go of the open folder.
    mutating func close() {
        opened?.close()
        opened = nil
        parent = nil
    }
}
