internal import GRDB

/// What a request to write works with: the connection, and the events that it appends.
///
/// It is valid during the call it is given to, on the thread of the writer.
final class WriteTransaction {
    /// The connection, inside a transaction and a savepoint.
    let connection: Database
    /// Events in the order in which they were appended, for those who follow them.
    var events: [JobEvent] = []

    init(_ connection: Database) { self.connection = connection }

    /// Runs one statement that gives no rows.
    func run(_ sql: String, _ arguments: StatementArguments = []) throws {
        try connection.cachedStatement(sql: sql).execute(arguments: arguments)
    }

    /// Rows that the last statement inserted, changed or removed.
    var changedRows: Int { connection.changesCount }
}
