package dev.scopegate.interop;

import static org.springframework.security.oauth2.client.web.client.RequestAttributeClientRegistrationIdResolver.clientRegistrationId;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.springframework.boot.Banner;
import org.springframework.boot.CommandLineRunner;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.annotation.Bean;
import org.springframework.http.client.ClientHttpResponse;
import org.springframework.security.oauth2.client.AuthorizedClientServiceOAuth2AuthorizedClientManager;
import org.springframework.security.oauth2.client.OAuth2AuthorizedClientManager;
import org.springframework.security.oauth2.client.OAuth2AuthorizedClientProviderBuilder;
import org.springframework.security.oauth2.client.OAuth2AuthorizedClientService;
import org.springframework.security.oauth2.client.registration.ClientRegistrationRepository;
import org.springframework.security.oauth2.client.web.client.OAuth2ClientHttpRequestInterceptor;
import org.springframework.web.client.RestClient;
import tools.jackson.databind.json.JsonMapper;

/**
 * A service of Spring that calls the API: once for each of its client registrations, and once without any. What it was answered is the last
 * line of standard output. Registrations come as SPRING_APPLICATION_JSON; arguments: the URL of the API, names of registrations.
 */
@SpringBootApplication
public class Client {
  public static void main(String[] args) {
    var application = new SpringApplicationBuilder(Client.class);
    application.web(WebApplicationType.NONE).bannerMode(Banner.Mode.OFF).logStartupInfo(false).run(args).close();
  }

  @Bean
  OAuth2AuthorizedClientManager manager(ClientRegistrationRepository clients, OAuth2AuthorizedClientService service) {
    var manager = new AuthorizedClientServiceOAuth2AuthorizedClientManager(clients, service);
    manager.setAuthorizedClientProvider(OAuth2AuthorizedClientProviderBuilder.builder().clientCredentials().build());
    return manager;
  }

  @Bean
  CommandLineRunner call(OAuth2AuthorizedClientManager manager, JsonMapper json) {
    return args -> {
      Map<String, Object> answers = new LinkedHashMap<>();
      RestClient plain = RestClient.create();
      answers.put("no token", plain.get().uri(args[0]).exchange((request, response) -> answer(response)));
      RestClient secured =
          RestClient.builder().requestInterceptor(new OAuth2ClientHttpRequestInterceptor(manager)).build();
      for (String registration : List.of(args).subList(1, args.length)) {
        var request = secured.get().uri(args[0]).attributes(clientRegistrationId(registration));
        answers.put(registration, request.exchange((sent, response) -> answer(response)));
      }
      System.out.println(json.writeValueAsString(answers));
    };
  }

  private static Map<String, Object> answer(ClientHttpResponse response) throws IOException {
    String body = new String(response.getBody().readAllBytes(), StandardCharsets.UTF_8);
    return Map.of("status", response.getStatusCode().value(), "body", body);
  }
}
