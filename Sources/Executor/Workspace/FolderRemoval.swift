internal import Glibc

/// Deletes folders with all that is in them, whatever their permissions.
enum FolderRemoval {
    /// Deletes a folder or file; what cannot be deleted stays.
    static func remove(_ path: String) { remove(path.joined(.root)) }

    /// Deletes a folder or file by a path that may be any bytes.
    static func remove(_ path: [CChar]) {
        var paths: [UnsafeMutablePointer<CChar>?] = [strdup(path), nil]
        defer { free(paths[0]) }
        guard let tree = fts_open(&paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, nil) else {
            return
        }
        defer { fts_close(tree) }
        while let entry = fts_read(tree) {
            guard let place = entry.pointee.fts_accpath else { continue }
            switch Int32(entry.pointee.fts_info) {
            case FTS_D:
                // A folder that may not be written to keeps its content.
                if access(place, W_OK | X_OK) != 0 { chmod(place, 0o700) }
            case FTS_DNR:
                chmod(place, 0o700)
                _ = fts_set(tree, entry, FTS_AGAIN)
            case FTS_DP: rmdir(place)
            default: unlink(place)
            }
        }
    }
}
