import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.Properties;

/** What a BI tool does through JDBC, with the driver's defaults: arguments are the address, user and password. */
public class Probe {
    public static void main(String[] arguments) throws Exception {
        Properties login = new Properties();
        login.setProperty("user", arguments[1]);
        login.setProperty("password", arguments[2]);
        try (Connection connection = DriverManager.getConnection(arguments[0], login)) {
            System.out.println("product " + connection.getMetaData().getDatabaseProductName());
            try (ResultSet tables = connection.getMetaData().getTables(null, "ringback", "%", null)) {
                int count = 0;
                while (tables.next()) count++;
                System.out.println("tables " + (count > 0));
            }
            try (Statement statement = connection.createStatement();
                    ResultSet rows = statement.executeQuery("SELECT number, toString(number) FROM numbers(200000)")) {
                long sum = 0;
                while (rows.next()) sum += rows.getLong(1) + rows.getString(2).length();
                System.out.println("sum " + sum);
            }
            try (PreparedStatement prepared = connection.prepareStatement("SELECT n FROM ringback.t WHERE s = ?")) {
                prepared.setString(1, "it's");
                try (ResultSet rows = prepared.executeQuery()) {
                    System.out.println("prepared " + (rows.next() ? rows.getLong(1) : -1));
                }
            }
            try (Statement statement = connection.createStatement()) {
                statement.executeQuery("SELECT nope");
                System.out.println("no error");
            } catch (java.sql.SQLException error) {
                System.out.println("error " + error.getMessage().contains("nope"));
            }
        }
    }
}
