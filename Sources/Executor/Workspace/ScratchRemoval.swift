internal import CSandbox

/// Deletes folders with all that is in them, whatever their permissions.
enum ScratchRemoval {
    /// Deletes a folder or file; what cannot be deleted stays.
    static func remove(_ path: String) { _ = danube_remove_tree(path) }

    /// Deletes a folder or file by a path that may be any bytes.
    static func remove(_ path: [CChar]) { _ = danube_remove_tree(path) }
}
